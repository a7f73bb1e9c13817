import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from pointbook.deadline import Deadline
from pointbook.errors import ShopifyRefused, ShopifyUnavailable
from pointbook.http.calls import Answer, Call
from pointbook.http.tokens import LEASE, StoredToken
from pointbook.shopify.admin_access import RENEWAL_MARGIN, AdminAccess
from pointbook.shopify.app_keys import AppKeys
from tests.fakes.admin_api import (
    BASE_URL,
    BROKEN_OFF,
    SHOP,
    START,
    MemoryTokenStore,
    Scripted,
    ScriptedCalls,
    StandingClock,
    answer,
    keys,
)

DAY = timedelta(hours=24)
SECRET_REFUSED = answer({"error": "invalid_client"}, 400)


def given(text: str, seconds: object = 86_399) -> Answer:
    return answer({"access_token": text, "scope": "write_discounts", "expires_in": seconds})


class Instances:
    """Instances of functions that share a store, and a Shopify that answers from a script."""

    def __init__(self, *script: Scripted) -> None:
        self.calls = ScriptedCalls(*script)
        self.store = MemoryTokenStore()
        self.clock = StandingClock()

    def start(self, app: Callable[[], AppKeys] = keys) -> AdminAccess:
        return AdminAccess(SHOP, BASE_URL, app, self.store, self.calls, self.clock)

    def within(self, seconds: float = 5) -> Deadline:
        return Deadline.after(seconds, self.clock.monotonic)

    def keep(self, text: str, lives: timedelta, leased: timedelta | None = None) -> None:
        now = self.clock.now()
        leased_until = None if leased is None else now + leased
        self.store.by_shop[SHOP] = StoredToken(text, now + lives, 1, leased_until)


def test_a_token_is_requested_by_client_credentials() -> None:
    shop = Instances(given("shpat_1"))
    assert shop.start().token(shop.within()) == "shpat_1"
    (call,) = shop.calls.sent
    assert (call.method, call.url) == ("POST", f"{BASE_URL}/admin/oauth/access_token")
    assert json.loads(call.content or b"") == {
        "client_id": "client-id",
        "client_secret": "current",
        "grant_type": "client_credentials",
    }
    assert shop.store.by_shop[SHOP] == StoredToken("shpat_1", START + timedelta(seconds=86_399), 2)


def test_one_fetch_is_for_all_instances_and_for_the_whole_day() -> None:
    shop = Instances(given("shpat_1"))
    first = shop.start()
    first.token(shop.within())
    shop.clock.pass_by(86_399 - RENEWAL_MARGIN.total_seconds() - 1)
    assert first.token(shop.within()) == "shpat_1"
    assert shop.start().token(shop.within()) == "shpat_1"
    assert len(shop.calls.sent) == 1


def test_a_token_in_memory_costs_no_read(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Instances(given("shpat_1"))
    access = shop.start()
    access.token(shop.within())
    monkeypatch.setattr(shop.store, "read", None)
    assert access.token(shop.within()) == "shpat_1"


def test_a_token_is_replaced_before_it_ends() -> None:
    shop = Instances(given("shpat_2"))
    shop.keep("shpat_1", RENEWAL_MARGIN)
    access = shop.start()
    assert access.token(shop.within()) == "shpat_2"
    assert access.token(shop.within()) == "shpat_2"


def test_while_one_instance_fetches_the_others_use_the_old_token() -> None:
    shop = Instances()
    shop.keep("shpat_1", timedelta(minutes=4), leased=LEASE)
    access = shop.start()
    assert access.token(shop.within()) == "shpat_1"
    shop.keep("shpat_2", DAY)
    assert access.token(shop.within()) == "shpat_2", "the old one was not kept in memory"


def test_without_a_valid_one_the_others_wait_for_the_new() -> None:
    shop = Instances()
    shop.keep("", timedelta(0), leased=LEASE)

    def fetched_meanwhile(seconds: float) -> None:
        shop.clock.pass_by(seconds)
        shop.keep("shpat_2", DAY)

    shop.clock.sleep = fetched_meanwhile  # type: ignore[method-assign]
    assert shop.start().token(shop.within()) == "shpat_2"


def test_nobody_waits_longer_than_the_deadline() -> None:
    shop = Instances()
    shop.keep("", timedelta(0), leased=LEASE)
    with pytest.raises(ShopifyUnavailable):
        shop.start().token(shop.within(1))
    assert shop.clock.seconds <= 1


def test_a_lease_that_was_never_given_back_ends_by_itself() -> None:
    shop = Instances(given("shpat_2"))
    shop.keep("", timedelta(0), leased=LEASE)
    assert shop.start().token(shop.within(30)) == "shpat_2"
    assert shop.clock.seconds == pytest.approx(LEASE.total_seconds(), abs=0.2)


def test_who_loses_the_race_for_the_lease_fetches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Instances()
    read = shop.store.read

    def read_before_the_other_was_done(shop_domain: str) -> StoredToken | None:
        monkeypatch.setattr(shop.store, "read", read)
        found = read(shop_domain)
        shop.keep("shpat_2", DAY)
        return found

    monkeypatch.setattr(shop.store, "read", read_before_the_other_was_done)
    assert shop.start().token(shop.within()) == "shpat_2"


def test_a_token_that_came_after_its_lease_is_used_all_the_same() -> None:
    shop = Instances()

    def slowly(call: Call) -> Answer:
        shop.keep("shpat_2", DAY)
        shop.store.by_shop[SHOP] = replace(shop.store.by_shop[SHOP], version=9)
        return given("shpat_1")

    shop.calls = ScriptedCalls(slowly)
    assert shop.start().token(shop.within()) == "shpat_1"
    assert shop.store.by_shop[SHOP].text == "shpat_2"


# --- a refused token ------------------------------------------------------------------------------


def test_a_refused_token_is_fetched_anew_although_it_has_not_ended() -> None:
    shop = Instances(given("shpat_1"), given("shpat_2"))
    access = shop.start()
    first = access.token(shop.within())
    assert access.token(shop.within(), refused=first) == "shpat_2"
    assert access.token(shop.within()) == "shpat_2"


def test_a_refused_token_that_was_replaced_by_another_instance_is_only_read_anew() -> None:
    shop = Instances(given("shpat_1"))
    access = shop.start()
    first = access.token(shop.within())
    shop.keep("shpat_2", DAY)
    assert access.token(shop.within(), refused=first) == "shpat_2"


def test_a_refused_token_is_not_used_while_another_one_is_fetched() -> None:
    shop = Instances()
    shop.keep("shpat_1", DAY, leased=LEASE)
    with pytest.raises(ShopifyUnavailable):
        shop.start().token(shop.within(1), refused="shpat_1")


# --- when Shopify gives none ----------------------------------------------------------------------


def test_a_failure_gives_the_lease_back() -> None:
    shop = Instances(answer({}, 503), given("shpat_1"))
    with pytest.raises(ShopifyUnavailable):
        shop.start().token(shop.within(0.01))
    assert shop.start().token(shop.within(0.01)) == "shpat_1"


def test_a_failure_is_retried() -> None:
    shop = Instances(BROKEN_OFF, answer({}, 500), answer({}, 429), given("shpat_1"))
    assert shop.start().token(shop.within()) == "shpat_1"


def test_while_the_old_token_lives_a_failure_is_not_noticed() -> None:
    shop = Instances(*[answer({}, 503)] * 5)
    shop.keep("shpat_1", RENEWAL_MARGIN)
    assert shop.start().token(shop.within()) == "shpat_1"


@pytest.mark.parametrize(
    "refusal", [SECRET_REFUSED, answer({}, 401), Answer(401, {}, b""), answer({"error": 5}, 401)]
)
def test_while_a_secret_is_rotated_the_one_before_is_tried(refusal: Answer) -> None:
    shop = Instances(refusal, given("shpat_1"))
    access = shop.start(lambda: keys("new", "old"))
    assert access.token(shop.within()) == "shpat_1"
    assert [body["client_secret"] for body in shop.calls.bodies()] == ["new", "old"]


def test_secrets_that_are_all_refused_are_a_refusal() -> None:
    shop = Instances(SECRET_REFUSED, SECRET_REFUSED)
    with pytest.raises(
        ShopifyRefused, match="check SHOPIFY_CLIENT_ID and client_secret"
    ) as refused:
        shop.start(lambda: keys("new", "old")).token(shop.within())
    assert refused.value.reasons == ("invalid_client",)
    assert shop.store.by_shop[SHOP].leased_until is None


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (answer({"error": "application_cannot_be_found"}, 400), "application_cannot_be_found"),
        (Answer(400, {}, b"<html>"), "http_400"),
        (answer({}, 404), "http_404"),
    ],
)
def test_another_refusal_is_not_about_the_secret(refusal: Answer, reason: str) -> None:
    shop = Instances(refusal)
    with pytest.raises(ShopifyRefused) as refused:
        shop.start(lambda: keys("new", "old")).token(shop.within())
    assert refused.value.reasons == (reason,)
    assert shop.calls.done()


@pytest.mark.parametrize(
    "odd",
    [
        answer({}),
        given(""),
        given("shpat_\n1"),
        given("shpat_日本"),
        given("shpat_1", "86399"),
        given("shpat_1", 0),
        given("shpat_1", True),
        given("shpat_1", 10**9),
        Answer(200, {}, b"<html>"),
    ],
)
def test_an_answer_that_is_no_token_is_not_used(odd: Answer) -> None:
    shop = Instances(odd, given("shpat_1"))
    assert shop.start().token(shop.within()) == "shpat_1"
    assert len(shop.calls.sent) == 2


def test_a_rotated_secret_is_seen_at_the_next_fetch() -> None:
    given_keys = [keys("before"), keys("after")]
    shop = Instances(given("shpat_1"), given("shpat_2"))
    access = shop.start(lambda: given_keys.pop(0))
    access.token(shop.within())
    access.token(shop.within(), refused="shpat_1")
    assert [body["client_secret"] for body in shop.calls.bodies()] == ["before", "after"]


def test_no_token_shows_in_what_is_printed() -> None:
    assert "shpat" not in repr(StoredToken("shpat_1", START, 1))
