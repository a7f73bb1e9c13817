"""What is ReCORE's own: ranks with names, times in seconds, statuses.

What every till promises is in test_till_contract.py.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date

import pytest

from local import demo
from local.fakes.control import Behaviour
from local.fakes.server import Reply, Request
from pointbook.till.errors import BadTillAnswer, MemberNotRegistered
from pointbook.till.member import Member
from tests.support.tills import KINDS, NUMBER, TillUnderTest, member_of, till_under_test


@pytest.fixture
def shop() -> Iterator[TillUnderTest]:
    (kind,) = [kind for kind in KINDS if kind.provider == "recore"]
    with till_under_test(kind) as found:
        yield found


def read(shop: TillUnderTest, changes: dict[str, object], **credentials: str) -> Member:
    """Read the member that the description of the API shows, changed."""
    point = {"total": 1074, "expires_amount": 35, "expires_at": 1762095599, "details": []}
    record = {
        "id": 219,
        "code": NUMBER,
        "rank": {"id": 2, "name": "ランクA"},
        "status": "ACTIVE",
        "point": point,
    }
    shop.behave(answer_with=json.dumps([record | changes]))
    return member_of(shop.start(credentials=credentials))


def test_one_call_finds_balance_day_and_rank(shop: TillUnderTest) -> None:
    member = read(shop, {})
    assert (member.till_id, member.balance_points, member.rank) == ("219", 1074, "ランクA")
    assert member.expires_on == date(2025, 11, 2), "1762095599 is its last second in Japan"
    assert shop.operations() == ["members"]


def test_the_shops_words_for_ranks_come_first(shop: TillUnderTest) -> None:
    assert read(shop, {}, rank_2="gold").rank == "gold"
    assert read(shop, {"rank": {"id": 3, "name": "ランクB"}}, rank_2="gold").rank == "ランクB"


@pytest.mark.parametrize("status", ["WITHDRAWN", "INACTIVE", "", None])
def test_who_is_not_active_is_not_registered(shop: TillUnderTest, status: object) -> None:
    with pytest.raises(MemberNotRegistered):
        read(shop, {"status": status})


@pytest.mark.parametrize(
    "changes",
    [
        *({"id": None}, {"rank": "gold"}, {"rank": {"id": 1, "name": "x" * 201}}, {"point": None}),
        *({"point": {}}, {"point": {"total": 1.5}}, {"status": {}}),
        *({"point": {"total": 5, "expires_at": "soon"}}, {"point": {"total": 5, "expires_at": -1}}),
        {"point": {"total": 5, "expires_at": 10**14}},
    ],
)
def test_a_malformed_member_is_a_bad_answer(
    shop: TillUnderTest, changes: dict[str, object]
) -> None:
    with pytest.raises(BadTillAnswer):
        read(shop, changes)


def test_a_member_with_another_code_than_asked_for_is_nobody(shop: TillUnderTest) -> None:
    with pytest.raises(MemberNotRegistered):
        read(shop, {"code": f"{NUMBER}0"})


def test_several_codes_are_never_asked_for_at_once(shop: TillUnderTest) -> None:
    with pytest.raises(MemberNotRegistered):
        member_of(shop.start(), f"{NUMBER},1")
    assert shop.operations() == []


def test_key_and_store_are_in_the_headers(shop: TillUnderTest) -> None:
    seen: list[Mapping[str, str]] = []
    answer = shop.fake.service.answer

    def noting(request: Request, behaviour: Behaviour) -> Reply:
        seen.append(request.headers)
        return answer(request, behaviour)

    shop.fake.service.answer = noting  # type: ignore[method-assign]
    member_of(shop.start(credentials={"store_id": "7"}))
    member_of(shop.start())
    assert [one["x-identification"] for one in seen] == [demo.RECORE_CREDENTIALS["api_key"]] * 2
    assert [one.get("x-store-id") for one in seen] == ["7", None]
