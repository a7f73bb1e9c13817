"""Operators are told whether an id is a customer's."""

from typing import Any

from pointbook.domain.commands import Grant
from pointbook.domain.expiry import Never
from tests.fakes.customers import MemoryCustomers
from tests.support.harness import CUSTOMER, Answer, Functions, event

FUNCTION = "check_customer"


def shown(functions: Functions, query: str = "") -> Answer:
    return functions.request(FUNCTION, event(FUNCTION, "get") | {"rawQueryString": query})


def checked(customers: MemoryCustomers, **more: Any) -> dict[str, Any]:
    functions = Functions({"customers": lambda _: customers})
    if more.get("granted"):
        functions.execute(Grant(1, Never()))
    return shown(functions).body


def test_an_id_is_looked_up_at_shopify_and_in_the_ledger() -> None:
    customers = MemoryCustomers()
    known = checked(customers, granted=True)
    assert (known["has_entries"], known["at_shopify"], known["why"]) == (True, True, None)
    customers.gone.add(CUSTOMER)
    gone = checked(customers)
    assert (gone["has_entries"], gone["at_shopify"], gone["why"]) == (False, False, None)


def test_what_shopify_cannot_say_is_left_open_with_the_reason() -> None:
    customers = MemoryCustomers()
    customers.unreachable = True
    found = checked(customers)
    assert found["at_shopify"] is None
    assert found["why"].startswith("Shopify could not be asked: ")
