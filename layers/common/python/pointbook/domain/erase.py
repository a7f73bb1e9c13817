"""Erasing a customer: the account moves to a pseudonym, and the old id keeps only a tombstone.

No number changes, so the shop's sums stay the same. The hashes stay valid: they cover the random
`account_id` instead of the customer's id, and only digests of what is removed here.
Rules: docs/privacy.md.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from pointbook.domain.account import Account, HoldRecord
from pointbook.domain.chain import BookedEntry
from pointbook.domain.orders import Order

type Pseudonyms = Mapping[str, str]
"""The pseudonyms of customers who are erased together: one person, with those merged into it."""

_PSEUDONYM = re.compile("0[0-9]{19}")


def pseudonym_of(number: int) -> str:
    """Turn a random number below 10**19 into a pseudonym: 20 digits, of which the first is 0.

    Shopify's ids begin with another digit, so no pseudonym is ever a customer's.
    """
    assert 0 <= number < 10**19, "a pseudonym has 19 digits of its own"
    return f"0{number:019d}"


def is_pseudonym(customer_id: str) -> bool:
    """Whether this is a pseudonym. Shopify does not know it, so nothing is published of it."""
    return _PSEUDONYM.fullmatch(customer_id) is not None


def tombstone(customer_id: str, before: Account | None) -> Account:
    """What stays under the erased customer's id: an account that takes no commands."""
    revision = before.revision + 1 if before else 1
    return Account(customer_id, erased=True, revision=revision)


def moved_account(account: Account, pseudonyms: Pseudonyms) -> Account:
    """The account under its pseudonym: its first revision there."""
    renamed = renamed_merges(account, pseudonyms)
    return replace(renamed, customer_id=pseudonyms[account.customer_id], revision=1)


def renamed_merges(account: Account, pseudonyms: Pseudonyms) -> Account:
    """An account whose merges name the erased by their pseudonyms."""
    return replace(
        account,
        merged_into=_named(account.merged_into, pseudonyms),
        merged_from=tuple(pseudonyms.get(name, name) for name in account.merged_from),
    )


def moved_entry(booked: BookedEntry, pseudonyms: Pseudonyms) -> BookedEntry:
    """An entry under its account's pseudonym, without text, salt and causing entry."""
    entry = replace(booked.entry, customer_id=pseudonyms[booked.entry.customer_id])
    return replace(booked, entry=entry, text=None, cause=replace(booked.cause, cause_entry_id=""))


def renamed_entry_id(entry_id: str, pseudonyms: Pseudonyms) -> str:
    """The id of an entry once its account has moved."""
    customer_id, _, version = entry_id.partition("-")
    return f"{pseudonyms.get(customer_id, customer_id)}-{version}" if version else entry_id


def renamed_order(order: Order, pseudonyms: Pseudonyms) -> Order:
    """An order that names the erased by their pseudonyms; equal if it named none of them."""
    return replace(
        order,
        customer_id=_named(order.customer_id, pseudonyms),
        spendings=tuple(
            replace(one, customer_id=pseudonyms.get(one.customer_id, one.customer_id))
            for one in order.spendings
        ),
    )


def renamed_record(record: HoldRecord, pseudonyms: Pseudonyms) -> HoldRecord:
    """A hold record that names the erased by their pseudonyms; equal if it named none."""
    return replace(record, customer_id=pseudonyms.get(record.customer_id, record.customer_id))


def _named(customer_id: str | None, pseudonyms: Pseudonyms) -> str | None:
    return None if customer_id is None else pseudonyms.get(customer_id, customer_id)
