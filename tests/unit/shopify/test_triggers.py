import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from pointbook.domain.buckets import Bucket, Figures, Moves
from pointbook.domain.chain import BookedEntry, Cause, Text
from pointbook.domain.entry import Entry, Topic
from pointbook.shopify.triggers import (
    Occasion,
    approved_changed,
    balance,
    changed,
    expiring,
)

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
AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
TAKEN: Moves = ((Bucket.APPROVED, -300), (Bucket.SPENT, 300))
ONLY_PENDING: Moves = ((Bucket.ISSUED, -20), (Bucket.PENDING, 20))

PAYLOAD_BYTES_MAX = 50_000


def booked(
    reason: str | None = "商品購入",
    moves: Moves = TAKEN,
    topic: Topic = Topic.SUB_FLOW,
    source: str = "flow",
) -> BookedEntry:
    entry = Entry(
        customer_id=CUSTOMER,
        version=12,
        topic=topic,
        at=AT,
        recorded_at=AT,
        moves=moves,
        lots=(),
        held_lots=(),
        figures=FIGURES,
    )
    text = None if reason is None else Text(reason, "salt")
    return BookedEntry(entry, Cause(source), text, "", "", "")


def test_a_balance_is_the_six_figures_the_last_entry_and_who_asked() -> None:
    told = balance(CUSTOMER, FIGURES, Occasion(ENTRY_ID, "flow"))
    assert told.handle == "points-balance"
    assert told.payload == {
        "customer_id": 8840734670934,
        **FIGURE_FIELDS,
        "Entry Id": ENTRY_ID,
        "Source": "flow",
    }


def test_a_customer_without_entries_has_a_balance_without_an_entry() -> None:
    told = balance(CUSTOMER, Figures(0, 0, 0, 0, 0, 0), Occasion("", "flow"))
    assert told.payload["Entry Id"] == ""
    assert told.payload["Points Approved"] == 0


def test_a_change_tells_the_figures_after_the_entry() -> None:
    told = changed(booked(moves=ONLY_PENDING, topic=Topic.PENDING_ADD, source="order"))
    assert told.handle == "points-changed"
    assert told.payload == {
        "customer_id": 8840734670934,
        **FIGURE_FIELDS,
        "Entry Id": ENTRY_ID,
        "Source": "order",
    }


def test_a_change_of_approved_tells_what_happened_by_how_much_and_why() -> None:
    told = approved_changed(booked())
    assert told.handle == "points-approved-changed"
    assert told.payload == {
        "customer_id": 8840734670934,
        "Topic": "points/sub/flow",
        "Points Delta": -300,
        "Points Delta Absolute": 300,
        **FIGURE_FIELDS,
        "Reason": "商品購入",
        "Entry Id": ENTRY_ID,
        "Source": "flow",
    }


def test_points_added_are_a_positive_delta() -> None:
    given: Moves = ((Bucket.ISSUED, -120), (Bucket.APPROVED, 120))
    payload = approved_changed(booked(moves=given, topic=Topic.ADD_ORDER, source="order")).payload
    assert (payload["Points Delta"], payload["Points Delta Absolute"]) == (120, 120)


def test_an_erased_or_missing_reason_is_an_empty_text() -> None:
    assert approved_changed(booked(reason=None)).payload["Reason"] == ""


def test_an_entry_that_leaves_approved_alone_is_no_change_of_approved() -> None:
    with pytest.raises(ValueError, match="does not change approved"):
        approved_changed(booked(moves=ONLY_PENDING, topic=Topic.PENDING_ADD))


def test_points_about_to_expire_are_told_with_their_last_day() -> None:
    told = expiring(CUSTOMER, 300, date(2026, 12, 31), Occasion(ENTRY_ID, "schedule"))
    assert told.handle == "points-expiring"
    assert told.payload == {
        "customer_id": 8840734670934,
        "Points Expiring": 300,
        "Expires On": "2026-12-31",
        "Entry Id": ENTRY_ID,
        "Source": "schedule",
    }


@pytest.mark.parametrize("pseudonym", ["01234567890123456789", "", "Taro"])
def test_nothing_is_told_of_somebody_who_is_no_customer_of_shopifys(pseudonym: str) -> None:
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
