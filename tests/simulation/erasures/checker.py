"""Checks what is left, and what is not, when all erasures of a shop are done."""

import re
from typing import TYPE_CHECKING, Any

from pointbook.domain.account import Account
from pointbook.store import items, order_items
from tests.simulation.kernel.violation import must
from tests.support.leftovers import shop_balances, wrong_accounts
from tests.support.table import TABLE
from tests.support.verified import faults_in

if TYPE_CHECKING:
    from tests.simulation.erasures.simulation import ErasureSimulation

_NUMBERS = re.compile(r"(?<![0-9A-Za-z])[0-9]{7,20}(?![0-9A-Za-z])")


def check_erased(simulation: "ErasureSimulation") -> set[str]:
    """Check everything that is left; returns who is erased. Raises Violation."""
    found = list(simulation.engine.items(TABLE).values())
    accounts = {
        account.customer_id: account
        for account in (items.account_of(item) for item in found if item["sk"]["S"] == "ACCOUNT")
    }
    erased = {name for name, account in accounts.items() if account.erased}
    missing = simulation.scenario.must_be_erased() - erased
    must("erased", not missing, f"not erased: {sorted(missing)}")
    unrequested = erased - simulation.scenario.may_be_erased()
    must("erased", not unrequested, f"erased, and nobody asked for it: {sorted(unrequested)}")
    must_leave_nothing(found, erased)
    files = [key for key in simulation.bucket.objects if key.split("/")[2] in erased]
    must("erased", not files, f"files: {files}")
    wrong = wrong_accounts(found)
    must("accounts", not wrong, f"{wrong}")
    sums, booked = shop_balances(found), {k: v for k, v in simulation.moved.items() if v}
    must("sums", sums == booked, f"the shop has {sums}, but {booked} was booked")
    _check_merges(accounts)
    _check_spendings(found)
    faults = faults_in(simulation.engine)
    must("verify", not faults, f"verify finds {faults}")
    return erased


def must_leave_nothing(found: Any, erased: set[str]) -> None:
    """Only tombstone and proof name the erased, and no pseudonym is linked. Raises Violation."""
    for item in found:
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        must("erased", sk != "PSEUDONYM", f"a pseudonym is still linked: {pk}")
        if sk.startswith("PRIVACY_REQUEST#customers/redact#"):
            must("erased", item["state"]["S"] == "done", f"not done: {sk}")
            continue
        for name in set(_NUMBERS.findall(repr(item))) & erased:
            right = sk == "ACCOUNT" and pk.endswith(f"#CUSTOMER#{name}")
            must("erased", right, f"{name} is in {pk} {sk}: {item}")
        alone = "#CUSTOMER#0" not in pk or not ({"reason", "salt"} & item.keys())
        must("erased", alone, f"a text of an erased customer: {pk} {sk}")


def _check_merges(accounts: dict[str, Account]) -> None:
    """A merged customer is named by the survivor, and by nobody else."""
    for name, account in accounts.items():
        if account.merged_into is not None:
            survivor = accounts.get(account.merged_into)
            named = survivor is not None and not survivor.erased and name in survivor.merged_from
            must("merges", named, f"{name} leads to {account.merged_into}: {survivor}")
        for child in account.merged_from:
            child_account = accounts.get(child)
            right = child_account is not None and child_account.merged_into == name
            must("merges", right, f"{name} names {child}: {child_account}")


def _check_spendings(found: Any) -> None:
    """All orders were cancelled in the end, so all points spent on them were returned."""
    for item in found:
        if item["sk"]["S"] == "ORDER":
            order = order_items.order_of(item)
            must("orders", order.cancelled, f"order {order.order_id} is not cancelled")
            spent = [one for one in order.spendings if one.returned_points < one.points]
            must(
                "orders",
                not spent,
                f"order {order.order_id} does not return what was spent: {spent}",
            )
            points = order.pending_points + order.approved_points
            owned = order.customer_id is not None or not points
            must("orders", owned, f"order {order.order_id} has points and no owner")
