"""My page with each provider of tills: the function, the adapter, the shared token, the fake."""

import json

import pytest

from local import demo
from tests.support.harness import CUSTOMER, SECRETS, TABLE, Functions
from tests.support.tills import KINDS, TillKind, till_under_test


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.provider)
def test_my_page_shows_a_member_of_each_make_of_till(kind: TillKind) -> None:
    with till_under_test(kind) as till:
        till.put(member_number=CUSTOMER, balance=1250, expires_on="2031-03-31", rank="gold")
        functions = Functions(
            TILL_PROVIDER=kind.provider,
            LOCAL_TILL_URL=till.fake.url,
            LOCAL_SECRETS=json.dumps({**SECRETS, "till": demo.TILLS[kind.provider]}),
        )
        answer = functions.sample("get_points", "by_header")
    assert (answer.status, answer.body["till"]["status"]) == (200, "ok")
    assert answer.body["display"]["balance"] == "1,250"
    assert answer.body["till"]["expires_on"] == "2031-03-31"
    assert answer.body["till"]["rank"] == (None if kind.provider == "square" else "gold")
    assert (("TILL", "TOKEN") in functions.table.items(TABLE)) == (kind.provider == "smaregi")
