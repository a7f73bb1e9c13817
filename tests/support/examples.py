"""Plain examples of what the store keeps, for tests that are about something else."""

from dataclasses import replace
from datetime import UTC, date, datetime

from pointbook.domain.account import Account, HoldRecord
from pointbook.domain.buckets import Balances, Bucket, Figures
from pointbook.domain.chain import BookedEntry, Cause, chain_entries
from pointbook.domain.entry import Entry, Topic
from pointbook.domain.lots import Lot
from pointbook.domain.orders import Order
from pointbook.domain.ports import AccountWrite, IdempotencyRecord, Write
from tests.support.engine import SHOP

CUSTOMER = "7001"
OTHER = "7002"
ORDER = "9001"
HOLD_ID = "h1"
CODE = "POINTS-7K3Q"
NOON = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
"""Noon in Tokyo."""

LAST_DAY = date(2026, 12, 31)
CAUSE = Cause(source="flow")


def an_account(customer_id: str = CUSTOMER, revision: int = 1) -> Account:
    """An account with 100 points, one entry and one lot, at a given write."""
    return Account(
        customer_id=customer_id,
        account_id="b1",
        version=1,
        revision=revision,
        as_of=NOON,
        last_at=NOON,
        balances=Balances(issued=-100, approved=100),
        lots=(Lot(LAST_DAY, 100),),
    )


def an_entry(customer_id: str = CUSTOMER, version: int = 1) -> BookedEntry:
    """The grant of 100 points."""
    entry = Entry(
        customer_id=customer_id,
        version=version,
        topic=Topic.ADD_FLOW,
        at=NOON,
        recorded_at=NOON,
        moves=((Bucket.ISSUED, -100), (Bucket.APPROVED, 100)),
        lots=(Lot(LAST_DAY, 100),),
        held_lots=(),
        figures=Figures(100, 0, 100, 100, 0, 0),
    )
    return chain_entries([entry], "b1", "", CAUSE, None)[0]


def an_idempotency_record(key_hash: str = "ab" * 32) -> IdempotencyRecord:
    """The record of a request that granted."""
    return IdempotencyRecord(
        key_hash=key_hash,
        content_hash="cd" * 32,
        entry_ids=(f"{CUSTOMER}-000000000001",),
        figures=Figures(100, 0, 100, 100, 0, 0),
    )


def an_order(revision: int = 1) -> Order:
    """An order of which nothing is known yet."""
    return Order(ORDER, customer_id=CUSTOMER, revision=revision)


def a_hold_record(revision: int = 1) -> HoldRecord:
    """The record of a hold of 30 points."""
    return HoldRecord(HOLD_ID, CUSTOMER, 30, (Lot(LAST_DAY, 30),), revision, code=CODE)


def a_write(revision: int = 1, version: int | None = None, key_hash: str = "ab" * 32) -> Write:
    """One of everything: account, entry, remembered request, order, hold record."""
    version = revision if version is None else version
    account = replace(an_account(revision=revision), version=version)
    return Write(
        shop=SHOP,
        accounts=(AccountWrite(account, (an_entry(version=version),)),),
        idempotency_record=an_idempotency_record(key_hash),
        recorded_for=CUSTOMER,
        order=an_order(revision),
        hold_record=a_hold_record(revision),
    )
