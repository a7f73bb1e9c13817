import json
from dataclasses import replace
from datetime import date

import pytest

from pointbook.domain.buckets import Bucket, Figures, Moves
from pointbook.domain.chain import BookedEntry, Cause, Text
from pointbook.domain.entry import Topic
from pointbook.shopify.triggers import (
    Occasion,
    Trigger,
    approved_changed,
    balance,
    changed,
    expiring,
)
from tests.support.examples import an_entry

CUSTOMER = "8840734670934"
ENTRY_ID = "8840734670934-000000000012"
FIGURES = Figures(approved=950, pending=20, total=970, lifetime=1250, spent=300, hold=5)
FIGURE_FIELDS = {
    "Points Approved": 950,
    "Points Pending": 20,
    "Points Total": 970,
    "Points Lifetime": 1250,
    "Points Spent": 300,
    "Points Hold": 5,
}
TAKEN: Moves = ((Bucket.APPROVED, -300), (Bucket.SPENT, 300))
ONLY_PENDING: Moves = ((Bucket.ISSUED, -20), (Bucket.PENDING, 20))

PAYLOAD_BYTES_MAX = 50_000


def booked(
    reason: str | None = "商品購入",
    moves: Moves = TAKEN,
    topic: Topic = Topic.SUB_FLOW,
    source: str = "flow",
) -> BookedEntry:
    example = an_entry(CUSTOMER, version=12)
    entry = replace(example.entry, topic=topic, moves=moves, figures=FIGURES)
    text = None if reason is None else Text(reason, "salt")
    return replace(example, entry=entry, cause=Cause(source), text=text)


@pytest.mark.parametrize(
    ("trigger", "handle", "payload"),
    [
        (
            balance(CUSTOMER, FIGURES, Occasion(ENTRY_ID, "flow")),
            "points-balance",
            {**FIGURE_FIELDS, "Source": "flow"},
        ),
        (
            changed(booked(moves=ONLY_PENDING, topic=Topic.PENDING_ADD, source="order")),
            "points-changed",
            {**FIGURE_FIELDS, "Source": "order"},
        ),
        (
            approved_changed(booked()),
            "points-approved-changed",
            {
                "Topic": "points/sub/flow",
                "Points Delta": -300,
                "Points Delta Absolute": 300,
                **FIGURE_FIELDS,
                "Reason": "商品購入",
                "Source": "flow",
            },
        ),
        (
            expiring(CUSTOMER, 300, date(2026, 12, 31), Occasion(ENTRY_ID, "schedule")),
            "points-expiring",
            {"Points Expiring": 300, "Expires On": "2026-12-31", "Source": "schedule"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_trigger_has_the_customer_what_happened_its_entry_and_its_source(
    trigger: Trigger, handle: str, payload: dict[str, object]
) -> None:
    assert trigger.handle == handle
    assert trigger.payload == {"customer_id": 8840734670934, "Entry Id": ENTRY_ID, **payload}


def test_a_customer_without_entries_has_a_balance_without_an_entry() -> None:
    trigger = balance(CUSTOMER, Figures(0, 0, 0, 0, 0, 0), Occasion("", "flow"))
    assert trigger.payload["Entry Id"] == ""
    assert trigger.payload["Points Approved"] == 0


def test_points_added_are_a_positive_delta() -> None:
    given: Moves = ((Bucket.ISSUED, -120), (Bucket.APPROVED, 120))
    payload = approved_changed(booked(moves=given, topic=Topic.ADD_ORDER, source="order")).payload
    assert (payload["Points Delta"], payload["Points Delta Absolute"]) == (120, 120)


def test_an_erased_or_missing_reason_is_an_empty_text() -> None:
    assert approved_changed(booked(reason=None)).payload["Reason"] == ""


def test_an_entry_that_leaves_approved_alone_is_no_change_of_approved() -> None:
    with pytest.raises(ValueError, match="does not change approved"):
        approved_changed(booked(moves=ONLY_PENDING, topic=Topic.PENDING_ADD))


@pytest.mark.parametrize("pseudonym", ["01234567890123456789", "", "Taro"])
def test_no_trigger_is_about_anybody_but_a_customer_of_shopify(pseudonym: str) -> None:
    with pytest.raises(ValueError, match="digits of a customer id"):
        balance(pseudonym, FIGURES, Occasion(ENTRY_ID, "flow"))
    erased = replace(booked(), entry=replace(booked().entry, customer_id=pseudonym))
    with pytest.raises(ValueError, match="digits of a customer id"):
        changed(erased)


def test_a_reason_of_several_lines_becomes_one_line() -> None:
    assert (
        approved_changed(booked(" 返品分\n（注文 #1）\t")).payload["Reason"] == "返品分 （注文 #1）"
    )


def test_the_longest_texts_stay_far_below_shopifys_limit() -> None:
    """Also where each character is written as an escaped surrogate pair, 12 bytes."""
    endless = "🎁" * 10_000
    payload = approved_changed(booked(endless, source=endless)).payload
    assert payload["Reason"] == payload["Source"] == "🎁" * 255
    assert len(json.dumps(payload, ensure_ascii=True).encode()) < PAYLOAD_BYTES_MAX / 4
