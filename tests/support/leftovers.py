"""Checks the raw items of a whole table after customers were erased: what is left, and what is not.

It reads DynamoDB's own shape of items, so it serves any engine and the running stack alike.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pointbook.domain.account import Account
from pointbook.domain.chain import BookedEntry
from pointbook.domain.erase import is_pseudonym
from pointbook.domain.privacy import Kind
from pointbook.domain.reconcile import reconcile
from pointbook.store import items, keys

type RawItem = Mapping[str, Any]

_NUMBER = re.compile(r"(?<![0-9])[0-9]{7,}(?![0-9])")
_PROOF = f"PRIVACY_REQUEST#{Kind.CUSTOMER}#"


def named_in(text: str, customers: Collection[str]) -> set[str]:
    """The customers whose id stands in a text as a whole number, whatever is around it."""
    return set(_NUMBER.findall(text)).intersection(customers)


def leftovers(table: Iterable[RawItem], erased: Collection[str]) -> list[str]:
    """Every place that names an erased customer and is neither their tombstone nor their proof.

    Also what keeps a pseudonym known, a text that outlived its customer, and a customer of whom no
    tombstone is left.
    """
    wrong: list[str] = []
    tombstones: set[str] = set()
    for item in table:
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        place, owner = f"{pk} {sk}", _owner(pk)
        named = named_in(" ".join(_texts(item)), erased)
        if sk == keys.ACCOUNT and owner in named and _is_bare_tombstone(item):
            tombstones.add(owner)
        elif sk == f"{_PROOF}{''.join(named)}" and item["state"] == {"S": "done"}:
            continue
        elif named:
            wrong.append(f"{place} names {sorted(named)}")
        if sk == keys.PSEUDONYM:
            wrong.append(f"{place} keeps a pseudonym known")
        if is_pseudonym(owner) and {"reason", "salt"} & item.keys():
            wrong.append(f"{place} keeps a text")
    wrong += [f"{name} has no tombstone" for name in sorted(set(erased) - tombstones)]
    return wrong


def wrong_accounts(table: Iterable[RawItem]) -> list[str]:
    """Every account that is not the sum of its entries, and everything of a customer without one.

    Of an erased customer nothing but the account, a tombstone, may be there.
    """
    accounts: dict[str, Account] = {}
    entries: dict[str, list[BookedEntry]] = {}
    others: dict[str, str] = {}
    for item in table:
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        if sk == keys.ACCOUNT:
            accounts[pk] = items.account_of(item)
        elif "moves" in item:
            entries.setdefault(pk, []).append(items.entry_of(item))
        elif _owner(pk):
            others[pk] = sk
    alone = {pk for pk in entries.keys() | others if pk not in accounts or accounts[pk].erased}
    wrong = [f"{pk} has entries or more without an account" for pk in sorted(alone)]
    for pk, account in accounts.items():
        in_order = sorted(entries.get(pk, []), key=lambda booked: booked.entry.version)
        wrong += [f"{pk}: {finding.message}" for finding in reconcile(account, in_order)]
        for name in (account.merged_into, *account.merged_from):
            if name is not None and keys.customer(keys.parse(pk)[0], name) not in accounts:
                wrong.append(f"{pk} was merged with {name}, who has no account")
    return wrong


def shop_balances(table: Iterable[RawItem]) -> dict[str, int]:
    """The buckets of all accounts together, those that are not zero."""
    sums: Counter[str] = Counter()
    for item in table:
        if item["sk"]["S"] == keys.ACCOUNT:
            sums.update(items.account_of(item).balances._asdict())
    return {bucket: points for bucket, points in sums.items() if points}


def _owner(pk: str) -> str:
    """The customer in a key, "" where there is none."""
    _, mark, customer_id = pk.partition("#CUSTOMER#")
    return customer_id if mark else ""


def _is_bare_tombstone(item: RawItem) -> bool:
    account = items.account_of(item)
    return replace(account, revision=0) == Account(account.customer_id, erased=True)


def _texts(value: Any) -> Iterator[str]:
    """All names and values of an item, however deep."""
    match value:
        case str():
            yield value
        case bytes():
            yield value.decode("latin-1")
        case Mapping():
            for name, part in value.items():
                yield name
                yield from _texts(part)
        case list():
            for part in value:
                yield from _texts(part)
        case _:
            assert isinstance(value, bool), f"a {type(value)} in an item"
