"""Reading Smaregi's answers: texts into numbers and days, and nobody else's points."""

from datetime import UTC, date, datetime, timedelta

import pytest

from pointbook.till.errors import AmbiguousMember, BadTillAnswer, MemberNotRegistered
from pointbook.till.member import PointsChange
from pointbook.till.smaregi_answers import (
    Customer,
    Points,
    Transaction,
    carried_out_by,
    read_customer,
    read_points,
    read_transactions,
)

NUMBER = "8840734670934"


def record(**changes: object) -> dict[str, object]:
    return {"customerId": "7", "customerCode": NUMBER, "rank": "2", "status": "0"} | changes


def points(**changes: object) -> dict[str, object]:
    return {"customerId": "7", "point": "1250", "pointExpireDate": "2025-12-31"} | changes


def test_numbers_come_as_texts() -> None:
    assert read_customer([record()], NUMBER) == Customer("7", "2")
    assert read_points([points()], "7") == Points(1250, date(2025, 12, 31))


def test_numbers_may_come_as_numbers() -> None:
    assert read_customer([record(customerId=7, status=0)], NUMBER) == Customer("7", "2")
    assert read_points([points(customerId=7, point=-5)], "7").balance_points == -5


def test_no_expiry_and_no_rank_are_none() -> None:
    assert read_customer([record(rank=None)], NUMBER).rank_code is None
    assert read_customer([record(rank="")], NUMBER).rank_code is None
    assert read_points([points(pointExpireDate=None)], "7").expires_on is None


def test_only_the_exact_number_counts() -> None:
    others = [record(customerId="8", customerCode=NUMBER + "1"), record()]
    assert read_customer(others, NUMBER).customer_id == "7"
    with pytest.raises(MemberNotRegistered):
        read_customer([record(customerCode=NUMBER + "1")], NUMBER)


@pytest.mark.parametrize("status", ["3", "4", 3, 4])
def test_who_has_left_or_was_merged_away_is_not_registered(status: object) -> None:
    with pytest.raises(MemberNotRegistered):
        read_customer([record(status=status)], NUMBER)


@pytest.mark.parametrize("status", ["5", " 0", "enabled", -1])
def test_a_status_that_nobody_knows_is_no_member_s(status: object) -> None:
    with pytest.raises(BadTillAnswer, match="status"):
        read_customer([record(status=status)], NUMBER)


@pytest.mark.parametrize("status", [None, "", "0", "1", "2"])
def test_a_member_without_a_status_or_with_a_lost_card_keeps_their_points(status: object) -> None:
    assert read_customer([record(status=status)], NUMBER).customer_id == "7"


def test_two_members_with_one_number_are_shown_neither() -> None:
    with pytest.raises(AmbiguousMember):
        read_customer([record(), record(customerId="8")], NUMBER)


def test_a_withdrawn_namesake_does_not_make_it_ambiguous() -> None:
    assert read_customer([record(customerId="8", status="3"), record()], NUMBER).customer_id == "7"


@pytest.mark.parametrize("answer", [[], [points(customerId="8")]])
def test_points_of_somebody_else_are_never_taken(answer: object) -> None:
    with pytest.raises(MemberNotRegistered):
        read_points(answer, "7")


@pytest.mark.parametrize(
    "answer",
    [
        *(None, {"customerId": "7"}, ["7"], [record(customerId=None)]),
        *([record(customerId=True)], [record(status={})]),
        *([record(customerId="7" * 201)], [record(rank="x" * 201)]),
    ],
)
def test_a_malformed_member_is_a_bad_answer(answer: object) -> None:
    with pytest.raises(BadTillAnswer):
        read_customer(answer, NUMBER)


@pytest.mark.parametrize(
    "strange",
    [
        *({"point": "many"}, {"point": ""}, {"point": None}, {"point": "1250.5"}),
        *({"point": 12.5}, {"point": "9" * 400}),
        *({"point": "１２５０"}, {"pointExpireDate": "someday"}),
    ],
)
def test_malformed_points_are_a_bad_answer(strange: dict[str, object]) -> None:
    with pytest.raises(BadTillAnswer):
        read_points([points(**strange)], "7")


@pytest.mark.parametrize("field", ["point", "pointExpireDate"])
@pytest.mark.parametrize("value", ["x" * 30_000, "x" * 150, ["x" * 30_000]])
def test_a_long_text_is_shortened_in_the_message(field: str, value: object) -> None:
    with pytest.raises(BadTillAnswer, match=field) as caught:
        read_points([points(**{field: value})], "7")
    assert len(str(caught.value)) < 150


# --- transactions ---------------------------------------------------------------------------------

PLANNED_AT = datetime(2026, 11, 30, 3, 0, 0, 500_000, UTC)
CHANGE = PointsChange("c-1", NUMBER, "7", 70, 1000, PLANNED_AT)


def transaction(**changes: object) -> dict[str, object]:
    return {
        "transactionHeadId": "31",
        "transactionDateTime": "2026-11-30T12:00:05+09:00",
        "transactionHeadDivision": "6",
        "cancelDivision": "0",
        "newPoint": "70",
        "spendPoint": "0",
        "customerId": "7",
    } | changes


@pytest.mark.parametrize(
    ("changes", "points"),
    [
        ({}, 70),
        ({"transactionHeadDivision": 6, "newPoint": 70, "spendPoint": None}, 70),
        ({"transactionHeadDivision": "7"}, -70),
        ({"transactionHeadDivision": "7", "newPoint": "-70"}, -70),
        ({"transactionHeadDivision": "7", "newPoint": "0", "spendPoint": "70"}, -70),
    ],
)
def test_additions_and_subtractions_are_read_whichever_field_has_the_points(
    changes: dict[str, object], points: int
) -> None:
    (found,) = read_transactions([transaction(**changes)], "7")
    assert found == Transaction("31", points, datetime(2026, 11, 30, 3, 0, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    "changes",
    [
        *({"transactionHeadDivision": "1"}, {"transactionHeadDivision": "8"}),
        *({"cancelDivision": "1"}, {"customerId": "8"}, {"customerId": None}),
    ],
)
def test_other_transactions_are_left_out(changes: dict[str, object]) -> None:
    assert read_transactions([transaction(**changes)], "7") == []


@pytest.mark.parametrize(
    "changes",
    [
        *({"transactionHeadId": None}, {"newPoint": "many"}, {"customerId": []}),
        *({"transactionDateTime": "yesterday"}, {"transactionDateTime": None}),
        {"transactionDateTime": "2026-11-30T12:00:05"},
    ],
)
def test_a_malformed_transaction_is_a_bad_answer(changes: dict[str, object]) -> None:
    with pytest.raises(BadTillAnswer):
        read_transactions([transaction(**changes)], "7")


def made(points: int = 70, seconds: float = 5, transaction_id: str = "31") -> Transaction:
    """A transaction so many seconds after the plan, in whole seconds as Smaregi writes them."""
    at = (PLANNED_AT + timedelta(seconds=seconds)).replace(microsecond=0)
    return Transaction(transaction_id, points, at)


def test_a_change_is_found_by_its_points_after_the_plan() -> None:
    assert carried_out_by(CHANGE, [made(60), made(70)], 1130, set()) == "31"
    assert carried_out_by(CHANGE, [], 1070, set()) is None
    assert carried_out_by(CHANGE, [made(-70), made(71)], 1001, set()) is None


def test_a_change_is_found_although_the_counter_took_its_points_away_again() -> None:
    assert carried_out_by(CHANGE, [made(seconds=5)], 1000, set()) == "31"


@pytest.mark.parametrize("seconds", [-29, -0.6, 0, 1.4])
def test_a_transaction_from_about_the_plans_time_counts_only_if_the_balance_has_moved(
    seconds: float,
) -> None:
    assert carried_out_by(CHANGE, [made(seconds=seconds)], 1000, set()) is None
    assert carried_out_by(CHANGE, [made(seconds=seconds)], 1070, set()) == "31"


def test_a_transaction_that_carried_out_another_change_is_not_taken_for_this_one() -> None:
    assert carried_out_by(CHANGE, [made()], 1070, {"31"}) is None
    assert carried_out_by(CHANGE, [made(), made(transaction_id="32")], 1140, {"31"}) == "32"
