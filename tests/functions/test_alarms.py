"""Every fault fires its alarm: it leaves the very metric that an alarm of the template watches."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from local import demo
from pointbook.domain.commands import Grant, PlaceHold
from pointbook.domain.expiry import Never
from pointbook.errors import ShopifyRefused, ShopifyUnavailable
from pointbook.services.privacy import requests
from pointbook.settings import Secrets, Stage
from pointbook.store import keys
from pointbook.till.errors import TillUnavailable
from tests.fakes.admin_api import errors
from tests.fakes.admin_graphql import GraphqlShop
from tests.fakes.customers import MemoryCustomers
from tests.fakes.flow import FakeFlow, dead, down
from tests.fakes.locked import LockedClient
from tests.fakes.metafields import MemoryMetafields
from tests.fakes.pushed_till import down as never
from tests.fakes.till import FakeTill
from tests.functions.hold_shop import HoldShop
from tests.functions.moved import ClockFile, LateClock
from tests.functions.push_shop import PushShop
from tests.functions.till_shop import TillShop
from tests.support.alarms import Alarm, alarm, alarms
from tests.support.harness import (
    CUSTOMER,
    SECRETS,
    TABLE,
    Functions,
    event,
    memory_table,
    message,
)
from tools import shopify_payloads
from tools.make_events_stream import records
from tools.make_events_webhooks import body_of, headers, messages
from tools.shopify_payloads import bodies

SIGNED = ("shopify_webhook", "flow_action_consume", "flow_action_report", "flow_lifecycle")
ONE_OF_EACH_KIND = {
    "shopify_webhook": "orders_create",
    "flow_action_consume": "run",
    "create_hold": "by_header",
    "adjust_points": "add",
}
AWAY = ConnectTimeoutError(endpoint_url="https://aws")

type Output = Callable[[], str]


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Output:
    """What functions have written since it was last asked."""
    return lambda: capsys.readouterr().out


def counts(watching: Alarm) -> int:
    """How many are one too many."""
    return int(watching.threshold) + 1


# --- requests that are refused --------------------------------------------------------------------


@pytest.mark.parametrize("function", SIGNED)
@pytest.mark.parametrize(
    ("name", "case"),
    [
        ("SignaturesWrongAlarm", "wrong_signature"),
        ("SignaturesMissingAlarm", "not_signed"),
        ("UnknownShopAlarm", "unknown_shop"),
    ],
)
def test_requests_of_shopify_that_are_refused_fire_an_alarm(
    functions: Functions, output: Output, function: str, name: str, case: str
) -> None:
    watching = alarm(name)
    for number in range(counts(watching)):
        assert number == 0 or not watching.fires(output()), "not yet"
        for _ in range(number + 1):
            assert functions.sample(function, case).status >= 400
    assert watching.fires(output())


def test_a_wrong_client_secret_fires_an_alarm_before_shopify_has_given_up(output: Output) -> None:
    """Shopify tries eight times; one lost order with its updates is more than the alarm asks."""
    other = SECRETS | {"client_secret": "x0123456789abcdef0123456789abcdef"}
    other["client_secret_previous"] = ""
    functions = Functions(LOCAL_SECRETS=json.dumps(other))
    for _ in range(8):
        assert functions.sample("shopify_webhook", "orders_create").status == 401
    assert alarm("SignaturesWrongAlarm").fires(output())


class Broken:
    """A client of AWS that fails as no client should."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("broken")


@pytest.mark.parametrize(("function", "case"), ONE_OF_EACH_KIND.items())
def test_every_answer_500_fires_an_alarm(output: Output, function: str, case: str) -> None:
    functions = Functions({"dynamodb": Broken(), "sqs": Broken()})
    assert functions.sample(function, case).status == 500
    assert alarm("InternalErrorsAlarm").fires(output())


def test_a_secret_that_was_never_filled_in_fires_an_alarm(output: Output) -> None:
    functions = Functions(LOCAL_SECRETS=json.dumps({"client_secret": ""}))
    assert functions.sample("shopify_webhook", "orders_create").status == 500
    assert alarm("InternalErrorsAlarm").fires(output())


def test_a_table_that_cannot_be_reached_fires_an_alarm(
    functions: Functions, monkeypatch: pytest.MonkeyPatch, output: Output
) -> None:
    def away(**_: object) -> object:
        raise AWAY

    monkeypatch.setattr(functions.table, "get_item", away)
    monkeypatch.setattr("pointbook.ledger.read_only.READ_DEADLINE_SECONDS", 0.05)
    watching = alarm("LedgerUnavailableAlarm")
    for _ in range(counts(watching)):
        answer = functions.sample("get_points", "by_header")
        assert answer.body["code"] == "ledger_unavailable"
    assert watching.fires(output())


class NoSecrets:
    """A Secrets Manager that cannot be reached."""

    def get_secret_value(self, **_: object) -> object:
        raise AWAY


@pytest.mark.parametrize(("function", "case"), [*ONE_OF_EACH_KIND.items()][:3])
def test_secrets_that_cannot_be_reached_fire_an_alarm(
    output: Output, function: str, case: str
) -> None:
    functions = Functions({"secrets_manager": NoSecrets()}, LOCAL_SECRETS="")
    watching = alarm("SecretsUnavailableAlarm")
    for _ in range(counts(watching)):
        assert functions.sample(function, case).body["code"] == "secrets_unavailable"
    assert watching.fires(output())


def test_a_queue_that_cannot_be_reached_fires_an_alarm(
    functions: Functions, output: Output
) -> None:
    functions.queues.error = AWAY
    watching = alarm("QueueUnavailableAlarm")
    for _ in range(counts(watching)):
        answer = functions.sample("shopify_webhook", "orders_create")
        assert answer.body["code"] == "queue_unavailable"
    assert watching.fires(output())


def test_a_secret_that_was_changed_into_nonsense_fires_an_alarm_while_the_old_one_still_serves(
    output: Output,
) -> None:
    texts, passed = [json.dumps(SECRETS)], [0.0]
    functions = Functions(
        {
            "read_secrets": lambda: Secrets.from_json(texts[0], Stage.LOCAL),
            "monotonic": lambda: passed[0],
        }
    )
    assert functions.sample("shopify_webhook", "orders_create").status == 200
    texts[0] = "nonsense"
    watching = alarm("KeptValuesNotRenewedAlarm")
    for _ in range(counts(watching)):
        passed[0] += 61
        assert functions.sample("shopify_webhook", "orders_create").status == 200
    assert watching.fires(output())


# --- scheduled work -------------------------------------------------------------------------------


@pytest.fixture
def shop(clock: ClockFile) -> Functions:
    """A customer holds 500 of 1,250 points for ten minutes."""
    functions = Functions(LOCAL_CLOCK_FILE=str(clock))
    assert functions.sample("flow_action_grant", "run").status == 200
    functions.execute(PlaceHold(500, "hold-1", 600, code="PTS-1"))
    return functions


def test_a_sweep_that_fails_fires_an_alarm(
    shop: Functions, clock: ClockFile, output: Output
) -> None:
    clock.move(seconds=600)
    output()
    shop.damage()
    assert shop.invoke("hold_release", {})["failed"] == 1
    assert alarm("SweepFailuresAlarm").fires(output())


def test_a_sweep_whose_table_cannot_be_reached_fires_an_alarm(
    shop: Functions, monkeypatch: pytest.MonkeyPatch, output: Output
) -> None:
    def away(**_: object) -> object:
        raise AWAY

    monkeypatch.setattr(shop.table, "query", away)
    assert shop.invoke("hold_release", {})["complete"] is False
    assert alarm("SweepFailuresAlarm").fires(output())


def test_a_sweep_that_does_its_work_fires_no_alarm(
    shop: Functions, clock: ClockFile, output: Output
) -> None:
    clock.move(seconds=660)
    output()
    assert shop.invoke("hold_release", {})["entries"] == 1
    written = output()
    assert alarm("SweepFailuresAlarm").value(written) == 0
    assert 60 <= (alarm("OldestDueAlarm").value(written) or 0) <= 65
    shop.invoke("hold_release", {})
    assert alarm("OldestDueAlarm").value(output()) == 0, "nothing is due"


@pytest.mark.parametrize("seconds", [4, 30])
def test_work_that_has_been_due_for_over_an_hour_fires_an_alarm_even_if_a_run_has_no_time_for_it(
    shop: Functions, clock: ClockFile, output: Output, seconds: float
) -> None:
    watching = alarm("OldestDueAlarm")
    clock.move(seconds=600 + 3_550)
    shop.invoke("hold_release", {}, 0)
    assert not watching.fires(output())
    clock.move(seconds=600 + 3_610)
    shop.invoke("hold_release", {}, seconds)
    assert watching.fires(output())


def test_a_code_that_cannot_be_deactivated_fires_an_alarm(tmp_path: Path, output: Output) -> None:
    shop = HoldShop(tmp_path)
    shop.codes.fault, shop.codes.does_it_first = ShopifyUnavailable(1), True
    assert shop.hold("a").body["code"] == "hold_failed"
    shop.codes.fault, shop.codes.does_it_first = ShopifyUnavailable(1), False
    assert shop.functions.invoke("switch_off_codes", {}, 50)["failed"] == 1
    assert alarm("OrphanedCodesAlarm").fires(output())


def test_a_schedule_that_cannot_run_ends_with_an_error_that_lambda_counts() -> None:
    """`AWS/Lambda Errors` counts what a handler raises; nothing on the way may swallow it."""
    functions = Functions({"dynamodb": Broken()})
    with pytest.raises(RuntimeError, match="broken"):
        functions.invoke("privacy_watch", {})


# --- the till, and orders without a customer ------------------------------------------------------


def test_a_till_that_fails_most_views_fires_an_alarm(output: Output) -> None:
    secrets = {**SECRETS, "till": demo.TILL_CREDENTIALS}
    watching = alarm("TillFailuresAlarm")
    nobody = Functions(
        TILL_PROVIDER="smaregi",
        LOCAL_TILL_URL="http://127.0.0.1:9",  # nothing listens on this port
        LOCAL_SECRETS=json.dumps(secrets),
    )
    answer = nobody.sample("get_points", "by_header")
    assert answer.body["till"]["status"] == "unavailable"
    assert watching.fires(output())
    assert Functions().sample("get_points", "by_header").body["till"]["status"] == "disabled"
    assert watching.value(output()) is None, "without a till nothing is counted"
    strangers = TillShop()
    strangers.till.members.clear()
    assert strangers.view_till()["status"] == "not_registered"
    assert watching.value(output()) == 0, "a till that does not know a customer works"


def test_a_breaker_that_stays_open_fires_an_alarm(output: Output) -> None:
    watching, shop = alarm("TillBreakerAlarm"), TillShop()
    shop.watch()
    assert not watching.fires(output())
    shop.fail(TillUnavailable("503"))
    assert watching.value(output()) is None, "the schedule reports it"
    shop.watch()
    assert watching.fires(output())


def order(**payload: Any) -> str:
    """A message about a new order."""
    return message("orders_create", **payload)


def test_a_day_of_orders_without_a_customer_fires_an_alarm(
    functions: Functions, output: Output
) -> None:
    watching = alarm("OrdersWithoutCustomerAlarm")
    assert functions.work("order_events", order()) == []
    with_customer = output()
    assert watching.value(with_customer) == 0
    assert functions.work("order_events", *(order(id=n, customer=None) for n in range(1, 31))) == []
    without = output()
    assert watching.fires(without)
    assert watching.fires(with_customer + without), "one of 31 has a customer"
    assert not watching.fires(2 * with_customer + without), "two of 32 have"


def test_news_of_an_order_is_not_counted_as_another_order(
    functions: Functions, output: Output
) -> None:
    functions.invoke("order_events", event("order_events", "orders_paid"), 60)
    assert alarm("OrdersWithoutCustomerAlarm").value(output()) is None


# --- orders whose webhooks were lost --------------------------------------------------------------


@pytest.fixture
def compared(clock: ClockFile) -> tuple[Functions, GraphqlShop]:
    """A shop with an order of which no webhook has arrived for ten hours."""
    shopify = GraphqlShop()
    functions = Functions({"admin_api": lambda _: shopify.admin()}, LOCAL_CLOCK_FILE=str(clock))
    at = (functions.container.clock.now() - timedelta(hours=10)).replace(microsecond=0).isoformat()
    shopify.put(shopify_payloads.order([], "6000", created_at=at, updated_at=at))
    return functions, shopify


def test_damage_of_the_ledger_fires_an_alarm_every_day_until_it_is_repaired(
    functions: Functions, output: Output
) -> None:
    functions.execute(Grant(10, Never()))
    watching = alarm("LedgerFaultsAlarm")
    assert functions.invoke("verify_sample", {}, 60)["faults"] == 0
    assert not watching.fires(output())
    key = keys.key(keys.customer(demo.SHOP_DOMAIN, CUSTOMER), keys.entry(1))
    entry = functions.table.get_item(TableName=TABLE, Key=key)["Item"]
    functions.table.damage(TABLE, {**entry, "reason": {"S": "another reason"}})
    for _ in range(2):
        assert functions.invoke("verify_sample", {}, 60)["faults"] == 1
        assert watching.fires(output())


@pytest.mark.shopify_schema
def test_an_order_whose_webhook_was_lost_fires_an_alarm_once(
    compared: tuple[Functions, GraphqlShop], clock: ClockFile, output: Output
) -> None:
    functions, _ = compared
    watching = alarm("LostWebhooksAlarm")
    assert functions.invoke("reconcile_orders", {}, 60)["fed"] == 1
    assert watching.fires(output())
    ((queue, text),) = functions.queues.sent
    assert functions.work(queue, text) == []
    clock.move(days=1)
    assert functions.invoke("reconcile_orders", {}, 60)["found"] == 0
    assert watching.value(output()) is None


@pytest.mark.shopify_schema
def test_a_comparison_that_fails_fires_an_alarm(
    compared: tuple[Functions, GraphqlShop], output: Output
) -> None:
    functions, shopify = compared
    shopify.failures = [errors("ACCESS_DENIED")]
    assert functions.invoke("reconcile_orders", {}, 60)["failed"] == 1
    assert alarm("ReconciliationFailuresAlarm").fires(output())


@pytest.mark.shopify_schema
def test_an_order_that_cannot_be_fed_fires_an_alarm(
    compared: tuple[Functions, GraphqlShop], output: Output
) -> None:
    functions, _ = compared
    functions.queues.error = AWAY
    result = functions.invoke("reconcile_orders", {}, 60)
    assert (result["fed"], result["failed"] > 0) == (0, True)
    assert alarm("ReconciliationFailuresAlarm").fires(output())


def test_a_till_that_does_not_follow_the_ledger_though_it_should_fires_an_alarm(
    clock: ClockFile, output: Output
) -> None:
    till = FakeTill()
    functions = Functions(
        {"till_adapter": lambda _, __: till},
        TILL_PROVIDER="smaregi",
        PROGRAMME_TILL_PUSH="balance",
        LOCAL_CLOCK_FILE=str(clock),
    )
    functions.execute(Grant(10, Never()))
    clock.move(hours=1)
    watching = alarm("TillDriftAlarm")
    for points, fires in ((10, False), (9, True), (10, False)):
        till.put(CUSTOMER, points, functions.container.clock.now())
        assert functions.invoke("compare_till", {}, 60)["complete"]
        assert watching.fires(output()) == fires


# --- what else needs a person ---------------------------------------------------------------------


def test_a_webhook_that_fits_on_no_queue_fires_an_alarm(
    functions: Functions, output: Output
) -> None:
    ids = [2**63 + number * 7_919_111_333_777 for number in range(200_000)]
    body = body_of(bodies()["customers_redact"][1] | {"orders_to_redact": ids})
    given = {"body": body.decode(), "headers": headers("customers/redact", body)}
    answer = functions.request("shopify_webhook", event("shopify_webhook", "orders_create") | given)
    assert answer.status == 413
    assert alarm("WebhookTooLargeAlarm").fires(output())


def test_an_order_with_points_that_were_no_longer_held_fires_an_alarm(
    tmp_path: Path, output: Output
) -> None:
    shop = HoldShop(tmp_path)
    code = shop.hold("a").body["discount_code"]
    shop.move(601)
    output()
    used = [{"code": code, "amount": "500"}]
    assert shop.functions.work("order_events", order(discount_codes=used)) == []
    assert alarm("OrderAlarmsAlarm").fires(output())


def test_codes_that_cannot_be_made_fire_an_alarm(tmp_path: Path, output: Output) -> None:
    shop = HoldShop(tmp_path)
    watching = alarm("DiscountsNotMadeAlarm")
    for number in range(counts(watching)):
        shop.codes.fault = ShopifyRefused("no", ("http_403",))
        assert shop.hold(str(number)).body["code"] == "hold_failed"
    assert watching.fires(output())


def test_holds_beyond_the_shops_rate_limit_fire_an_alarm(tmp_path: Path, output: Output) -> None:
    shop = HoldShop(tmp_path, PROGRAMME_HOLD_CALLS_PER_MINUTE="1")
    held = shop.hold("a").body
    watching = alarm("HoldsRateLimitedAlarm")
    limited = sum(shop.release(held["hold_id"]).status == 429 for _ in range(counts(watching) + 1))
    assert limited >= counts(watching), "a minute may turn once"
    assert watching.fires(output())


def test_workflows_that_do_too_much_fire_an_alarm(output: Output) -> None:
    functions = Functions(PROGRAMME_FLOW_ENTRIES_PER_HOUR="1")
    assert functions.sample("flow_action_grant", "run").status == 200
    assert functions.sample("flow_action_grant", "with_key").body["code"] == "loop_refused"
    assert alarm("LoopsRefusedAlarm").fires(output())


@pytest.mark.parametrize(
    ("name", "fault"), [("TriggersHeldBackAlarm", down), ("TriggersRefusedAlarm", dead)]
)
def test_triggers_that_flow_does_not_take_fire_an_alarm(
    output: Output, name: str, fault: Callable[[FakeFlow], str | None]
) -> None:
    flow = FakeFlow()
    functions = Functions({"flow": lambda _: flow, "dynamodb": LockedClient(memory_table())})
    assert functions.sample("flow_action_grant", "run").status == 200
    account = functions.table.items(TABLE)[
        f"SHOP#{demo.SHOP_DOMAIN}#CUSTOMER#{CUSTOMER}", "ACCOUNT"
    ]
    flow.faults.append(fault)
    output()
    functions.invoke("publish_changes", records(account))
    assert alarm(name).fires(output())


def test_a_change_that_does_not_reach_the_till_for_an_hour_fires_an_alarm(output: Output) -> None:
    shop = PushShop()
    assert shop.flow("grant", "run", 100).status == 200
    shop.till.faults.extend([never] * 100)
    shop.stream()
    watching = alarm("TillPushesStuckAlarm")
    for _ in range(5):
        shop.sweep(minutes=11)
        assert not watching.fires(output())
    shop.sweep(minutes=11)
    assert watching.fires(output())


def down_for_metafields(shopify: MemoryMetafields) -> None:
    shopify.down = True


def refuses_the_customer(shopify: MemoryMetafields) -> None:
    shopify.refused = {CUSTOMER}


@pytest.mark.parametrize("fault", [down_for_metafields, refuses_the_customer])
def test_metafields_that_shopify_does_not_take_fire_an_alarm(
    output: Output, fault: Callable[[MemoryMetafields], None]
) -> None:
    shopify, clock = MemoryMetafields(), LateClock()
    functions = Functions(
        {
            "dynamodb": LockedClient(memory_table()),
            "flow": lambda _: FakeFlow(),
            "metafields": shopify,
            "customers": lambda _: MemoryCustomers(),
            "wall_clock": clock,
        }
    )
    assert functions.sample("flow_action_grant", "run").status == 200
    account = functions.table.items(TABLE)[
        f"SHOP#{demo.SHOP_DOMAIN}#CUSTOMER#{CUSTOMER}", "ACCOUNT"
    ]
    functions.invoke("publish_changes", records(account))
    fault(shopify)
    clock.late += timedelta(minutes=1)
    output()
    functions.invoke("write_metafields", {}, 58)
    assert alarm("MetafieldsHeldBackAlarm").fires(output())


def test_reminders_that_flow_does_not_take_fire_an_alarm(output: Output) -> None:
    flow = FakeFlow()
    functions = Functions({"flow": lambda _: flow}, PROGRAMME_EXPIRY="days:20")
    assert functions.sample("flow_action_grant", "run").status == 200
    flow.faults.append(down)
    assert functions.invoke("reminders", {}, 60)["failed"] == 1
    assert alarm("RemindersHeldBackAlarm").fires(output())


def test_a_privacy_request_that_stays_open_for_a_week_fires_an_alarm(
    clock: ClockFile, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "ONE_MESSAGE_SECONDS", 0)
    functions = Functions(LOCAL_CLOCK_FILE=str(clock))
    members = json.loads(messages()["customers_redact"][1])
    members["received_at"] = functions.container.clock.now().isoformat()
    assert functions.work("privacy_events", json.dumps(members)) == []
    watching = alarm("PrivacyRequestAgeAlarm")
    clock.move(days=6)
    assert functions.invoke("privacy_watch", {}, 4)["open"] == 1
    assert not watching.fires(output())
    clock.move(days=7, seconds=60)
    assert functions.invoke("privacy_watch", {}, 4)["open"] == 1
    assert watching.fires(output())


def test_a_privacy_request_that_fails_fires_an_alarm(
    functions: Functions, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "ONE_MESSAGE_SECONDS", 0)
    functions.invoke("privacy_events", event("privacy_events", "customers_redact"), 60)
    (request,) = [item for (_, sk), item in functions.table.items(TABLE).items() if "redact" in sk]
    functions.table.put_item(TableName=TABLE, Item=request | {"customer": {"S": "Taro"}})
    assert functions.invoke("privacy_watch", {})["failed"] == 1
    assert alarm("PrivacyRequestFailuresAlarm").fires(output())


def test_the_erasure_of_a_shop_in_use_fires_an_alarm(functions: Functions, output: Output) -> None:
    functions.invoke("privacy_events", event("privacy_events", "shop_redact"), 60)
    assert functions.invoke("privacy_watch", {})["held"] == 1, "the app was never removed"
    assert alarm("PrivacyRequestsHeldAlarm").fires(output())


def test_every_alarm_on_the_stacks_own_metrics_is_provoked_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in alarms() if f'"{name}"' not in text] == []
