import json
from typing import Any

import pytest

from pointbook.errors import ShopifyRefused, ShopifyUnavailable
from pointbook.http.calls import Answer
from pointbook.shopify.admin import AdminApi
from pointbook.shopify.attempts import ATTEMPTS_MAX
from pointbook.shopify.documents import DISCOUNT_DEACTIVATE
from tests.fakes.admin_api import (
    BASE_URL,
    BROKEN_OFF,
    Scripted,
    ScriptedCalls,
    StandingClock,
    Tokens,
    answer,
    data,
    errors,
)

ROOT = DISCOUNT_DEACTIVATE.root
DONE = data(ROOT, {"codeDiscountNode": {"id": "gid"}, "userErrors": []})
UNAUTHORIZED = answer({"errors": "[API] Invalid API key or access token"}, 401)


class Requests:
    """One call of a document against a script, with its calls, tokens and clock."""

    def __init__(self, *script: Scripted) -> None:
        self.calls = ScriptedCalls(*script)
        self.tokens = Tokens()
        self.clock = StandingClock()
        self.api = AdminApi(BASE_URL, self.tokens, self.calls, self.clock)

    def run(self, *, seconds: float = 5, repeatable: bool = True) -> Any:
        found = self.api.run(
            DISCOUNT_DEACTIVATE, {"id": "gid"}, self.api.deadline(seconds), repeatable=repeatable
        )
        assert self.calls.done()
        return found

    def refused(self) -> ShopifyRefused:
        with pytest.raises(ShopifyRefused) as refusal:
            self.run()
        assert self.calls.done()
        return refusal.value

    def unavailable(self, *, seconds: float = 5, repeatable: bool = True) -> ShopifyUnavailable:
        with pytest.raises(ShopifyUnavailable) as failure:
            self.run(seconds=seconds, repeatable=repeatable)
        assert self.calls.done()
        assert self.clock.seconds < seconds
        return failure.value


def throttled(requested: float, available: float, rate: float) -> Answer:
    status = {"maximumAvailable": 2000, "currentlyAvailable": available, "restoreRate": rate}
    cost = {"requestedQueryCost": requested, "throttleStatus": status}
    return errors("THROTTLED", extensions={"cost": cost})


def test_a_document_goes_to_the_shops_endpoint_with_the_token() -> None:
    requests = Requests(DONE)
    assert requests.run() == {"codeDiscountNode": {"id": "gid"}, "userErrors": []}
    (call,) = requests.calls.sent
    assert call.method == "POST"
    assert call.url == "https://demo.myshopify.com/admin/api/2026-10/graphql.json"
    assert call.headers["X-Shopify-Access-Token"] == "shpat_0"
    assert call.headers["Content-Type"] == "application/json"
    content = json.loads(call.content or b"")
    assert content == {"query": DISCOUNT_DEACTIVATE.text, "variables": {"id": "gid"}}


def test_null_is_an_answer() -> None:
    assert Requests(data(ROOT, None)).run() is None


# --- busy -----------------------------------------------------------------------------------------


def test_a_throttled_call_waits_until_the_bucket_holds_enough() -> None:
    requests = Requests(throttled(10, 4, 100), DONE)
    requests.run()
    assert requests.clock.slept == [pytest.approx(0.06)]


def test_a_throttle_beyond_the_deadline_is_unavailable_with_its_wait() -> None:
    requests = Requests(throttled(1000, 0, 100))
    assert requests.unavailable().retry_after_seconds == 10
    assert requests.clock.slept == []


@pytest.mark.parametrize(
    "extensions", [{}, {"cost": None}, {"cost": {"throttleStatus": {}, "requestedQueryCost": "1"}}]
)
def test_a_throttle_that_does_not_say_for_how_long_is_a_second(extensions: object) -> None:
    requests = Requests(errors("THROTTLED", extensions=extensions), DONE)
    requests.run()
    assert requests.clock.slept == [1]


def test_a_throttle_with_a_full_bucket_does_not_spin() -> None:
    requests = Requests(throttled(10, 2000, 100), DONE)
    requests.run()
    assert requests.clock.slept[0] >= 0.05


@pytest.mark.parametrize(
    ("retry_after", "seconds"), [("2.0", 2), ("3", 3), ("soon", 1), ("-1", 1), ("", 1), ("１", 1)]
)
def test_429_waits_as_long_as_it_says(retry_after: str, seconds: float) -> None:
    requests = Requests(answer({}, 429, {"Retry-After": retry_after}), DONE)
    requests.run()
    assert requests.clock.slept == [seconds]


def test_429_that_does_not_fit_into_the_budget_is_unavailable() -> None:
    requests = Requests(answer({}, 429, {"Retry-After": "2.0"}))
    assert requests.unavailable(seconds=2).retry_after_seconds == 2


def test_who_is_busy_is_waited_for_even_if_the_call_must_not_be_repeated() -> None:
    """Nothing was done, so nothing is done twice."""
    Requests(throttled(10, 0, 100), answer({}, 429), DONE).run(repeatable=False)


# --- failures -------------------------------------------------------------------------------------


UNKNOWN = [
    BROKEN_OFF,
    answer({"errors": "Internal Server Error"}, 500),
    answer({}, 503),
    answer({}, 408),
    errors("INTERNAL_SERVER_ERROR"),
    errors("INTERNAL_SERVER_ERROR", data=None),
    errors("ACCESS_DENIED", "INTERNAL_SERVER_ERROR"),
    errors("SOMETHING_NEW", data={ROOT: None}),
    answer({"errors": [{"message": "a field failed"}], "data": {ROOT: {"userErrors": []}}}),
    answer({"data": {}}),
    answer({"data": None}),
    answer({}),
    answer([]),
    Answer(200, {}, b"<html>"),
    Answer(200, {}, b""),
    data(ROOT, {"userErrors": [{"message": "x", "code": "INTERNAL_ERROR"}]}),
]


@pytest.mark.parametrize("failure", UNKNOWN)
def test_a_failure_is_retried(failure: Scripted) -> None:
    requests = Requests(failure, DONE)
    requests.run()
    assert 0.05 <= requests.clock.slept[0] <= 0.1


@pytest.mark.parametrize("failure", UNKNOWN)
def test_a_call_that_must_not_be_repeated_is_not(failure: Scripted) -> None:
    requests = Requests(failure)
    requests.unavailable(repeatable=False)
    assert requests.clock.slept == []


def test_the_number_of_attempts_is_limited() -> None:
    requests = Requests(*[answer({}, 503)] * ATTEMPTS_MAX)
    requests.unavailable(seconds=60)
    assert len(requests.calls.sent) == ATTEMPTS_MAX


def test_no_attempt_begins_after_the_deadline() -> None:
    requests = Requests(answer({}, 503))
    requests.unavailable(seconds=0.02)


def test_without_time_nothing_is_sent() -> None:
    requests = Requests()
    with pytest.raises(ShopifyUnavailable):
        requests.run(seconds=0)
    assert requests.calls.sent == []


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 400, 402, 403, 404, 406, 413, 422, 423, 430, 204])
def test_a_status_that_declines_is_a_refusal_that_names_it(status: int) -> None:
    refused = Requests(answer({}, status)).refused()
    assert (refused.code, refused.reasons) == ("shopify_refused", (f"http_{status}",))
    assert refused.certain


@pytest.mark.parametrize(
    ("declined", "reasons"),
    [
        (errors("ACCESS_DENIED", data={ROOT: None}), ("ACCESS_DENIED",)),
        (errors("BAD_REQUEST", "INVALID_VARIABLE"), ("BAD_REQUEST", "INVALID_VARIABLE")),
        (errors("MAX_COST_EXCEEDED"), ("MAX_COST_EXCEEDED",)),
        (errors("undefinedField"), ("undefinedField",)),
        (answer({"errors": [{"message": "syntax error"}]}), ()),
        (answer({"errors": "no such app"}), ()),
    ],
)
def test_errors_with_which_nothing_was_begun_are_a_refusal(
    declined: Answer, reasons: tuple[str, ...]
) -> None:
    assert Requests(declined).refused().reasons == reasons


def test_user_errors_are_a_refusal_with_their_codes() -> None:
    user_errors = [
        {"field": ["id"], "message": "It is taken", "code": "TAKEN"},
        {"field": None, "message": "It is odd", "code": None},
    ]
    refused = Requests(data(ROOT, {"userErrors": user_errors})).refused()
    assert refused.reasons == ("TAKEN", "UNKNOWN")
    assert str(refused) == "Shopify refuses discountCodeDeactivate: It is taken; It is odd"


def test_the_status_counts_before_errors_and_errors_before_user_errors() -> None:
    user_errors = {"userErrors": [{"message": "taken", "code": "TAKEN"}]}
    both = errors("ACCESS_DENIED", data={ROOT: user_errors})
    assert Requests(both).refused().reasons == ("ACCESS_DENIED",)
    assert Requests(Answer(403, {}, both.body)).refused().reasons == ("http_403",)


def test_a_refusal_after_a_failure_is_not_certain() -> None:
    """The try before may have had its effect."""
    taken = data(ROOT, {"userErrors": [{"message": "taken", "code": "TAKEN"}]})
    assert not Requests(BROKEN_OFF, taken).refused().certain
    assert Requests(throttled(10, 0, 100), taken).refused().certain


# --- tokens ---------------------------------------------------------------------------------------


def test_a_refused_token_is_replaced_once() -> None:
    requests = Requests(UNAUTHORIZED, DONE)
    requests.run()
    assert requests.tokens.refused == ["shpat_0"]
    content = [call.headers["X-Shopify-Access-Token"] for call in requests.calls.sent]
    assert content == ["shpat_0", "shpat_1"]


def test_a_token_that_is_refused_anew_is_a_refusal() -> None:
    requests = Requests(UNAUTHORIZED, UNAUTHORIZED)
    assert requests.refused().reasons == ("http_401",)
    assert requests.tokens.refused == ["shpat_0"]
