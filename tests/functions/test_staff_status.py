"""Managers of the shop see what is failing, and the command that heals it."""

from datetime import timedelta
from typing import Any

from tests.support.book_shop import BookShop
from tests.support.harness import Functions

FUNCTION = "staff_status"


def shown(functions: Functions) -> dict[str, Any]:
    answer = functions.sample(FUNCTION, "now")
    assert answer.status == 200, answer.text
    return dict(answer.body)


def kinds(found: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(one["kind"], one["subject"]) for one in found["problems"]]


def test_a_shop_without_failures_has_an_empty_list(functions: Functions) -> None:
    assert kinds(shown(functions)) == []


def test_dead_letters_are_counted_with_the_command_that_heals(functions: Functions) -> None:
    functions.queues.sent += [("order_events_dead_letter", "{}")] * 3 + [("dead_letter", "{}")]
    found = shown(functions)["problems"]
    assert [(one["subject"], one["count"], one["command"]) for one in found] == [
        ("order_events", 3, "pointbook redrive order_events"),
        ("schedules", 1, "pointbook doctor"),
    ]


def test_a_part_that_cannot_be_read_is_named_and_the_others_are_shown(
    functions: Functions,
) -> None:
    functions.queues.error = TimeoutError()
    assert kinds(shown(functions)) == [("unreadable", "queues")]


def test_statements_that_are_missing_are_named_by_their_first_day() -> None:
    shop = BookShop()
    shop.sample("staff_adjust_points", "add")
    shop.pass_nights()
    shop.write_statements()
    assert kinds(shown(shop)) == []
    shop.pass_nights(3)
    shop.now.at += timedelta(hours=4)
    (found,) = shown(shop)["problems"]
    assert (found["kind"], found["subject"]) == ("statements_missing", "2026-11-22")
    assert (found["count"], found["severity"]) == (3, "warning")
    shop.pass_nights(40)
    (found,) = shown(shop)["problems"]
    assert (found["kind"], found["count"]) == ("statements_missing", 31)
