"""`pointbook liability`: what is owed, by expiry month, age and programme, and the estimate."""

import json
from datetime import date
from typing import Any

import pytest

from cli import target
from cli.app import main
from pointbook.domain.commands import Consume, Grant, Settle
from pointbook.domain.expiry import Days, FixedDate, Never
from tests.support.book_shop import BookShop, BookStack


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> BookShop:
    """Of a lot of 100 points 60 were used and 40 expired; others are outstanding."""
    shop = BookShop()
    shop.execute(Grant(100, Days(1)), "7001")
    shop.execute(Consume(60), "7001")
    shop.pass_nights(4)
    shop.execute(Settle(), "7001")
    shop.execute(Grant(500, FixedDate(date(2027, 3, 31))), "7001")
    shop.execute(Grant(200, Never()), "7002")
    shop.pass_nights()
    monkeypatch.setattr(target, "target_of", lambda _: BookStack(shop))
    return shop


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["liability", *arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_points_are_grouped_by_when_they_expire_and_how_old_they_are(
    shop: BookShop, capsys: pytest.CaptureFixture[str]
) -> None:
    found = printed(capsys)
    assert (found["day"], found["outstanding"], found["value_minor"]) == ("2026-11-25", 700, 700)
    assert found["by_expiry"] == [
        {"expires": "2027-03", "points": 500},
        {"expires": "never", "points": 200},
    ]
    assert found["by_age"][0] == {"months_from": 0, "months_to": 2, "points": 700}
    assert found["by_programme"] == [{"programme": 0, "points": 700}]


def test_the_estimate_is_of_points_that_can_expire(
    shop: BookShop, capsys: pytest.CaptureFixture[str]
) -> None:
    breakage = printed(capsys)["breakage"]
    assert (breakage["observed"], breakage["observed_expired"]) == (100, 40)
    assert (breakage["base"], breakage["points"]) == (500, 200)


def test_without_experience_there_is_no_estimate(
    shop: BookShop, capsys: pytest.CaptureFixture[str]
) -> None:
    breakage = printed(capsys, "--day", "2026-11-21")["breakage"]
    assert (breakage["is_estimated"], breakage["points"]) == (False, None)
    assert main(["liability", "--day", "2026-11-21"]) == 0
    assert "Breakage: no estimate" in capsys.readouterr().out


def test_another_value_of_a_point_may_be_given(
    shop: BookShop, capsys: pytest.CaptureFixture[str]
) -> None:
    found = printed(capsys, "--worth", "0.85")
    assert (found["worth_minor"], found["value_minor"]) == ("0.85", 595)


def test_the_words_say_the_same(shop: BookShop, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["liability"]) == 0
    words = capsys.readouterr().out
    assert "at the end of November 25, 2026, Asia/Tokyo:" in words
    assert "700 points, ¥700" in words
    assert [line.split() for line in words.splitlines() if line.startswith("Mar 2027")] == [
        ["Mar", "2027", "500", "¥500", "71.4%"]
    ]
    assert "Breakage: 200 of 500 points that can expire (¥200) are expected to" in words


def test_it_is_that_of_the_file_of_the_day(
    shop: BookShop, capsys: pytest.CaptureFixture[str]
) -> None:
    computed = printed(capsys)
    shop.write_statements()
    read = printed(capsys)
    assert read["source"] == "files"
    assert {**read, "source": ""} == {**computed, "source": ""}
