"""Managers of the shop read a month's statements, as they are on file."""

from local import demo
from tests.support.book_shop import BookShop
from tests.support.harness import Functions, event

FUNCTION = "staff_books"


def ask(functions: Functions, month: str = "") -> dict[str, object]:
    query = f"month={month}" if month else ""
    answer = functions.request(FUNCTION, event(FUNCTION, "month") | {"rawQueryString": query})
    assert answer.status == 200, answer.text
    return dict(answer.body)


def test_a_month_without_statements_is_empty_and_in_the_shops_currency(
    functions: Functions,
) -> None:
    found = ask(functions)
    assert (found["shop"], found["currency"], found["days"]) == (demo.SHOP_DOMAIN, "JPY", [])
    assert (found["total"], found["liability"], found["as_of"]) == (None, None, None)


def test_days_on_file_sum_up_to_the_month_and_say_what_is_owed() -> None:
    shop = BookShop()
    assert shop.sample("staff_adjust_points", "add").status == 201
    shop.pass_nights()
    shop.write_statements()
    found = ask(shop, "2026-11")
    total, liability = found["total"], found["liability"]
    assert isinstance(total, dict)
    assert isinstance(liability, dict)
    assert total["movements"] == {"granted": {"entries": 1, "points": 200}}
    assert (total["opening"], total["closing"], liability["outstanding"]) == (0, 200, 200)
    assert sum(one["points"] for one in liability["by_expiry"]) == 200
    assert (found["is_closed"], found["as_of"], found["missing"]) == (True, "2026-11-21", [])
