"""What must be left, and what must not, when all erasures of a shop are done."""

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from pointbook.domain.account import Account
from pointbook.domain.chain import BookedEntry
from pointbook.domain.reconcile import reconcile
from pointbook.store import items, order_items
from tests.simulation.kernel.violation import must
from tests.support.table import TABLE

if TYPE_CHECKING:
    from tests.simulation.erasures.world import ErasureWorld

_NUMBERS = re.compile(r"(?<![0-9A-Za-z])[0-9]{7,20}(?![0-9A-Za-z])")


def judge(world: "ErasureWorld") -> set[str]:
    """Look at everything that is left; returns who is erased. Raises Violation."""
    found = world.engine.items(TABLE)
    accounts: dict[str, Account] = {}
    books: dict[str, list[BookedEntry]] = {}
    for item in found.values():
        if item["sk"]["S"] == "ACCOUNT":
            account = items.account_of(item)
            accounts[account.customer_id] = account
        elif "moves" in item:
            booked = items.entry_of(item)
            books.setdefault(booked.entry.customer_id, []).append(booked)
    erased = {name for name, account in accounts.items() if account.erased}
    missing = world.told.must_be_erased() - erased
    must("erased", not missing, f"not erased: {sorted(missing)}")
    unasked = erased - world.told.may_be_erased()
    must("erased", not unasked, f"erased, and nobody asked for it: {sorted(unasked)}")
    must_leave_nothing(found.values(), erased)
    must("erased", not [k for k in world.bucket.objects if k.split("/")[2] in erased], "a file")
    _whole_books(world, accounts, books)
    _merges_lead_there(accounts)
    _spendings_came_back(found.values())
    return erased


def must_leave_nothing(found: Any, erased: set[str]) -> None:
    """Of the erased there are tombstone and proof, and of nobody a pseudonym. Raises Violation."""
    for item in found:
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        must("erased", sk != "PSEUDONYM", f"a pseudonym is still known: {pk}")
        if sk.startswith("PRIVACY_REQUEST#customers/redact#"):
            must("erased", item["state"]["S"] == "done", f"not done: {sk}")
            continue
        for name in set(_NUMBERS.findall(repr(item))) & erased:
            right = sk == "ACCOUNT" and pk.endswith(f"#CUSTOMER#{name}")
            must("erased", right, f"{name} stands in {pk} {sk}: {item}")
        alone = "#CUSTOMER#0" not in pk or not ({"reason", "salt"} & item.keys())
        must("erased", alone, f"a text of an erased customer: {pk} {sk}")


def _whole_books(
    world: "ErasureWorld", accounts: dict[str, Account], books: dict[str, list[BookedEntry]]
) -> None:
    alone = {name for name in books if name not in accounts or accounts[name].erased}
    must("books", not alone, f"entries without an account: {sorted(alone)}")
    sums: Counter[str] = Counter()
    for name, account in accounts.items():
        book = sorted(books.get(name, []), key=lambda booked: booked.entry.version)
        findings = reconcile(account, book)
        must("books", not findings, f"{name}: {findings}")
        must("books", len(book) == account.version, f"{name}: entries are missing")
        for booked in book:
            for bucket, points in booked.entry.moves:
                sums[bucket.value] += points
    same = {k: v for k, v in sums.items() if v} == {k: v for k, v in world.moved.items() if v}
    must("sums", same, f"the shop has {sums}, but {world.moved} was booked")


def _merges_lead_there(accounts: dict[str, Account]) -> None:
    """Whoever was merged is named by the one they were merged into, and nobody else."""
    for name, account in accounts.items():
        if account.merged_into is not None:
            survivor = accounts.get(account.merged_into)
            leads = survivor is not None and not survivor.erased and name in survivor.merged_from
            must("merges", leads, f"{name} leads to {account.merged_into}: {survivor}")
        for child in account.merged_from:
            known = accounts.get(child)
            right = known is not None and known.merged_into == name
            must("merges", right, f"{name} names {child}: {known}")


def _spendings_came_back(found: Any) -> None:
    """All orders were cancelled in the end, so nothing that was spent on one is gone."""
    for item in found:
        if item["sk"]["S"] == "ORDER":
            order = order_items.order_of(item)
            must("orders", order.cancelled, f"order {order.order_id} is not cancelled")
            kept = [one for one in order.spendings if one.returned_points < one.points]
            must("orders", not kept, f"order {order.order_id} keeps what was spent: {kept}")
            points = order.pending_points + order.approved_points
            owned = order.customer_id is not None or not points
            must("orders", owned, f"order {order.order_id} has points and no owner")
