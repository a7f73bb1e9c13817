"""Whether a trigger is enabled: the newest callback counts, and it is answered at once."""

from collections.abc import Iterator

import pytest

from local import demo, signing
from pointbook.shopify import triggers
from pointbook.store.table import Table
from pointbook.store.trigger_subscriptions import TriggerSubscriptions
from tests.functions.callbacks import callback
from tests.support.harness import TABLE, Functions, event
from tools.make_events_flow import lifecycle_body

LIFECYCLE = "flow_lifecycle"
CHANGED = "points-changed"

NOON, LATER = "2026-11-22T03:00:00Z", "2026-11-22T12:00:01.250+09:00"
"""The second is 1.25 s after the first."""


def disabled_handles(functions: Functions) -> frozenset[str]:
    return TriggerSubscriptions(Table(functions.table, TABLE)).disabled_handles(demo.SHOP_DOMAIN)


def said(functions: Functions, at: str, *, listened: bool) -> str:
    payload = callback(timestamp=at, has_enabled_flow=listened)
    answer = functions.request(LIFECYCLE, payload)
    assert answer.status == 200
    status: str = answer.body["status"]
    return status


def test_no_trigger_is_disabled_before_the_first_callback(functions: Functions) -> None:
    assert disabled_handles(functions) == frozenset()


def test_a_trigger_is_disabled_and_enabled_as_workflows_use_it(
    functions: Functions,
) -> None:
    assert functions.sample(LIFECYCLE, "switched_off").body == {"status": "noted"}
    assert disabled_handles(functions) == {CHANGED}
    assert functions.sample(LIFECYCLE, "switched_on").body == {"status": "noted"}
    assert disabled_handles(functions) == frozenset()


def test_an_older_or_repeated_callback_changes_nothing(
    functions: Functions,
) -> None:
    assert said(functions, LATER, listened=True) == "noted"
    assert said(functions, NOON, listened=False) == "outdated"
    assert disabled_handles(functions) == frozenset()
    assert said(functions, LATER, listened=True) == "outdated"
    assert said(functions, "2026-11-22T03:00:02Z", listened=False) == "noted"
    assert disabled_handles(functions) == {CHANGED}


@pytest.mark.parametrize(
    ("definition", "handle"),
    [
        ("points-balance", triggers.POINTS_BALANCE),
        ("points-approved-changed", triggers.POINTS_APPROVED_CHANGED),
        ("points-expiring", triggers.POINTS_EXPIRING),
        ("Points changed", CHANGED),
        ("Points about to expire", triggers.POINTS_EXPIRING),
    ],
)
def test_a_trigger_is_found_by_its_handle_or_its_name(
    functions: Functions, definition: str, handle: str
) -> None:
    payload = callback(flow_trigger_definition_id=definition, has_enabled_flow=False)
    assert functions.request(LIFECYCLE, payload).status == 200
    assert disabled_handles(functions) == {handle}


def test_an_unknown_trigger_is_ignored_and_answered(
    functions: Functions,
) -> None:
    answer = functions.sample(LIFECYCLE, "unknown_trigger")
    assert (answer.status, answer.body) == (200, {"status": "ignored"})
    assert disabled_handles(functions) == frozenset()


@pytest.mark.parametrize(
    ("secret", "status"), [(demo.CLIENT_SECRET_PREVIOUS, 200), (demo.MY_PAGE_SECRET, 401)]
)
def test_a_callback_is_signed_with_the_current_or_previous_client_secret(
    functions: Functions, secret: str, status: int
) -> None:
    body = lifecycle_body()
    payload = event(LIFECYCLE, "switched_on") | {"body": body.decode()}
    payload["headers"]["x-shopify-hmac-sha256"] = signing.flow_signature(body, secret)
    assert functions.request(LIFECYCLE, payload).status == status


@pytest.mark.parametrize(
    "changed",
    [
        {"has_enabled_flow": "true"},
        {"has_enabled_flow": None},
        {"flow_trigger_definition_id": ""},
        {"flow_trigger_definition_id": 7},
        {"timestamp": "yesterday"},
        {"timestamp": "2026-11-22T03:00:00"},
        {"timestamp": 1_795_000_000},
    ],
)
def test_a_callback_that_cannot_be_read_is_a_bad_request(
    functions: Functions, changed: dict[str, object]
) -> None:
    """Silence would leave a trigger unsent for ever; so Shopify shows the merchant a failure."""
    answer = functions.request(LIFECYCLE, callback(**changed))
    assert (answer.status, answer.body) == (400, {"code": "invalid_request"})


def test_a_callback_costs_one_write(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**request: object) -> Iterator[None]:
        raise AssertionError(f"the table was read: {request}")

    for name in ("get_item", "query", "batch_get_item", "transact_get_items", "update_item"):
        monkeypatch.setattr(functions.table, name, fail)
    assert functions.sample(LIFECYCLE, "switched_on").status == 200
