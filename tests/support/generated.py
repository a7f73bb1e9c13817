"""Hypothesis strategies for whatever the store keeps, also what no rule of points would make."""

from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import strategies as st

from pointbook.domain.account import Account, Hold, HoldRecord, HoldState, HourlyCount
from pointbook.domain.buckets import Balances, Bucket, Figures
from pointbook.domain.chain import BookedEntry, Cause, Text
from pointbook.domain.entry import Entry, Topic
from pointbook.domain.expiry import NEVER, Days, ExpiryRule, FixedDate, Months, Never, Rolling
from pointbook.domain.lots import Lot
from pointbook.domain.orders import (
    NO_GOODS,
    PENDING_DAYS_MAX,
    DebtPolicy,
    EarningRule,
    Goods,
    Order,
    Refund,
    ReturnSpent,
    Rounding,
    Spending,
)
from pointbook.domain.ports import IdempotencyRecord

POINTS_MAX = 10**12

ids = st.integers(min_value=1, max_value=10**19).map(str)
points = st.integers(min_value=1, max_value=POINTS_MAX)
signed_points = st.integers(min_value=-POINTS_MAX, max_value=POINTS_MAX)
counts = st.integers(min_value=1, max_value=10**9)
hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
words = st.text(max_size=30)
instants = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - Hypothesis adds the time zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001 - same
    timezones=st.just(UTC),
).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))
days = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)) | st.just(NEVER)

lots = st.dictionaries(days, points, max_size=6).map(
    lambda by_day: tuple(Lot(day, by_day[day]) for day in sorted(by_day))
)
changes_of_lots = st.dictionaries(days, signed_points.filter(bool), max_size=6).map(
    lambda by_day: tuple(Lot(day, by_day[day]) for day in sorted(by_day))
)
periods = st.builds(Days, st.integers(1, 100)) | st.builds(Months, st.integers(1, 100))
rules: st.SearchStrategy[ExpiryRule] = (
    periods | st.builds(FixedDate, st.dates()) | st.builds(Never) | st.builds(Rolling, periods)
)
figures = st.builds(Figures, *[signed_points] * 6)

holds = st.builds(
    Hold,
    hold_id=ids,
    points=points,
    lots=lots,
    ends_at=instants,
    state=st.sampled_from(HoldState),
    lapsed_expiry=st.none() | rules,
    code=words,
)
goods = st.builds(Goods, *[signed_points] * 5)


def accounts(customer_id: str) -> st.SearchStrategy[Account]:
    """Any account of this customer, as it is before its first write."""
    return st.builds(
        Account,
        customer_id=st.just(customer_id),
        account_id=words,
        time_zone=st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "UTC"]),
        version=st.integers(0, 10**9),
        revision=st.just(1),
        as_of=instants,
        last_at=instants,
        balances=st.builds(Balances, *[signed_points] * 9),
        lots=lots,
        hold=st.none() | holds,
        lapsed=lots,
        head=hashes,
        merged_into=st.none() | ids,
        merged_from=st.lists(ids, max_size=3).map(tuple),
        erased=st.booleans(),
        flow_count=st.none() | st.builds(HourlyCount, counts, counts),
        hold_count=st.none() | st.builds(HourlyCount, counts, counts),
    )


def entries(customer_id: str) -> st.SearchStrategy[BookedEntry]:
    """Any entry of this customer."""
    moves = st.dictionaries(
        st.sampled_from(Bucket), signed_points.filter(bool), min_size=1, max_size=9
    ).map(lambda by: tuple((bucket, by[bucket]) for bucket in Bucket if bucket in by))
    return st.builds(
        BookedEntry,
        entry=st.builds(
            Entry,
            customer_id=st.just(customer_id),
            version=counts,
            topic=st.sampled_from(Topic),
            at=instants,
            recorded_at=instants,
            moves=moves,
            lots=changes_of_lots,
            held_lots=changes_of_lots,
            figures=figures,
            about=words,
        ),
        cause=st.builds(Cause, words, words, words, st.integers(0, 100)),
        text=st.none() | st.builds(Text, words, words),
        text_digest=st.just("") | hashes,
        previous_hash=st.just("") | hashes,
        entry_hash=hashes,
    )


idempotency_record = st.builds(
    IdempotencyRecord,
    key_hash=hashes,
    content_hash=hashes,
    entry_ids=st.lists(ids, max_size=3).map(tuple),
    figures=figures,
)


def orders(order_id: str) -> st.SearchStrategy[Order]:
    """Anything that can be known of this order."""
    refunds = st.lists(
        st.builds(Refund, ids, goods, st.none() | signed_points, st.none() | instants),
        max_size=4,
        unique_by=lambda refund: refund.refund_id,
    )
    spending = st.builds(
        Spending,
        spending_id=ids,
        customer_id=ids,
        points=points,
        lots=lots,
        return_spent=st.sampled_from(ReturnSpent),
        returned_points=points,
        returned_lots=lots,
    )
    rule = st.builds(
        EarningRule,
        unit_minor=counts,
        points_per_unit=counts,
        multiplier_percent=st.integers(0, 10**9),
        rounding=st.sampled_from(Rounding),
        programme_version=counts,
        minimum_minor=st.integers(0, 10**9),
        tax_included=st.booleans(),
        gift_cards_earn=st.booleans(),
        pending_days=st.integers(0, PENDING_DAYS_MAX),
        debt_policy=st.sampled_from(DebtPolicy),
    )
    orders_of_this_id = st.builds(
        Order,
        order_id=st.just(order_id),
        customer_id=st.none() | ids,
        revision=st.just(1),
        name=st.sampled_from(["", "#1001", "注文1001"]),
        updated_at=st.none() | instants,
        triggered_at=st.none() | instants,
        goods=st.none() | goods,
        removed=goods,
        listed=st.lists(ids, max_size=2).map(tuple),
        taxes_included=st.booleans(),
        rule=st.none() | rule,
        confirmed_at=st.none() | instants,
        cancelled=st.booleans(),
        refunds=refunds.map(tuple),
        pending_points=signed_points,
        approved_points=signed_points,
        grant_lots=lots,
        waived_points=counts,
        spendings=st.lists(spending, max_size=2).map(tuple),
    )
    # What is said of goods means nothing where there are none, and is not kept.
    return orders_of_this_id.map(
        lambda order: (
            order
            if order.goods
            else replace(order, removed=NO_GOODS, listed=(), taxes_included=True)
        )
    )


hold_records = st.builds(
    HoldRecord,
    hold_id=words,
    customer_id=ids,
    points=points,
    lots=lots,
    revision=st.just(1),
    orders=st.lists(ids, max_size=3).map(tuple),
    code=words,
    worth_minor=counts,
)
