"""Reading Smaregi's answers: texts into numbers and days, and nobody else's points."""

from datetime import date

import pytest

from pointbook.till.errors import AmbiguousMember, BadTillAnswer, MemberNotRegistered
from pointbook.till.smaregi_answers import Customer, Points, read_customer, read_points

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
