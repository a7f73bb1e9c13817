"""The Flow extensions keep Shopify's rules, and say what our code reads and sends."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from graphql import build_schema, validate_schema
from graphql.type import GraphQLNonNull, GraphQLObjectType

from local.fakes.discounts import Discounts
from local.fakes.flow_triggers import Triggers, declared_triggers
from local.fakes.shopify_graphql import AdminApi, Context, Shop
from local.fakes.shopify_schema import SCHEMA_FILE
from pointbook.domain.buckets import Bucket, Figures
from pointbook.domain.chain import BookedEntry, Text
from pointbook.domain.entry import Topic
from pointbook.entrypoints import flow
from pointbook.errors import InvalidRequest
from pointbook.ledger.instruction import Booked
from pointbook.shopify import triggers
from pointbook.shopify.documents import FLOW_TRIGGER_RECEIVE
from pointbook.shopify.flow_action import CONSUME_POINTS, GRANT_POINTS, REPORT_POINTS
from pointbook.shopify.triggers import Occasion, Trigger
from tests.contract import flow_rules
from tests.contract.runs import ACTIONS, GOOD, keys, properties, read
from tests.support import shopify_files
from tests.support.examples import an_entry
from tests.support.forge import CUSTOMER, SHOP

FIGURES = Figures(approved=950, pending=0, total=950, lifetime=1250, spent=300, hold=0)

# --- Shopify's rules ----------------------------------------------------------------------------


@pytest.mark.parametrize("handle", shopify_files.extension_files())
def test_an_extension_keeps_shopifys_rules(handle: str) -> None:
    assert flow_rules.problems(shopify_files.extension_files()[handle]) == []


@pytest.mark.parametrize("handle", ACTIONS)
def test_a_return_schema_keeps_flows_rules(handle: str) -> None:
    sdl = shopify_files.return_schema(handle)
    return_type = shopify_files.extension(handle)["return_type_ref"]
    assert flow_rules.schema_problems(sdl, return_type) == []


def with_extension(**changes: Any) -> Callable[[dict], None]:
    return lambda file: file["extensions"][0].update(changes)


def with_field(**field: Any) -> Callable[[dict], None]:
    return lambda file: file["settings"]["fields"].append(field)


@pytest.mark.parametrize(
    ("handle", "mistake", "problem"),
    [
        (GRANT_POINTS, with_extension(handle="g" * 31), "handle"),
        (GRANT_POINTS, with_extension(handle="grant_points"), "handle"),
        (GRANT_POINTS, with_extension(type="flow_acton"), "unknown type"),
        (GRANT_POINTS, with_extension(name="Grant points!"), "name"),
        (GRANT_POINTS, with_extension(description="d" * 256), "description"),
        (GRANT_POINTS, with_extension(runtime_url="http://example.com/"), "runtime_url"),
        (GRANT_POINTS, with_extension(runtime_url="//example.com/"), "runtime_url"),
        (GRANT_POINTS, with_extension(runtime_url="run"), "runtime_url"),
        (GRANT_POINTS, with_extension(config_page_url="/page"), "unknown member"),
        (GRANT_POINTS, lambda file: file["extensions"][0].pop("schema"), "come together"),
        (GRANT_POINTS, with_field(type="customer_reference"), "twice"),
        (GRANT_POINTS, with_field(type="customer_reference", key="who"), "unknown member"),
        (GRANT_POINTS, with_field(type="json", key="a", name="A"), "json in a"),
        (GRANT_POINTS, with_field(type="url", key="a"), "name of"),
        (GRANT_POINTS, with_field(type="url", key="points", name="A"), "points twice"),
        ("points-changed", with_field(type="number_integer", key="Points"), "number_integer"),
        ("points-changed", with_field(type="number_decimal", key="Points 2"), "key"),
        ("points-changed", with_field(type="number_decimal", key="points_delta"), "key"),
        ("points-changed", with_field(type="number_decimal"), "key"),
        ("points-changed", with_field(type="url", key="A", name="A"), "unknown member"),
        ("points-changed", with_field(type="abandonment_reference"), "abandonment"),
        ("points-lifecycle", with_extension(url="v1/flow"), "url"),
    ],
)
def test_the_rules_see(handle: str, mistake: Callable[[dict], None], problem: str) -> None:
    file = copy.deepcopy(shopify_files.extension_files()[handle])
    mistake(file)
    assert any(problem in found for found in flow_rules.problems(file))


@pytest.mark.parametrize(
    "sdl",
    [
        "type Result { a: Money }",
        "type Other { a: Int }",
        "type Result { a(b: Int): Int }",
        "type Result { a: Int @deprecated }",
        "scalar Money type Result { a: Money }",
        "interface A { a: Int } type Result { a: Int }",
        "type Result { a }",
    ],
)
def test_the_rules_see_in_a_schema(sdl: str) -> None:
    assert flow_rules.schema_problems(sdl, "Result") != []


def test_each_extension_lies_in_a_folder_of_its_handle() -> None:
    files = shopify_files.extension_files()
    assert files
    assert {handle: shopify_files.extension(handle)["handle"] for handle in files} == {
        handle: handle for handle in files
    }


def test_the_extensions_are_the_actions_triggers_and_the_callback_that_the_code_knows() -> None:
    assert set(shopify_files.of_type("flow_action")) == set(ACTIONS)
    assert set(shopify_files.of_type("flow_trigger")) == {
        trigger.handle for trigger in every_trigger()
    }
    assert set(shopify_files.of_type("flow_trigger")) == set(declared_triggers())
    assert len(shopify_files.of_type("flow_trigger_lifecycle_callback")) == 1


# --- actions: what is declared is what is read --------------------------------------------------


@pytest.mark.parametrize("handle", ACTIONS)
def test_every_declared_field_is_read(handle: str) -> None:
    """Another value changes what is read, or the field would be there for nothing."""
    good = properties(handle)
    for key in good:
        spoiled = good | {key: "0-0"}
        try:
            assert read(handle, spoiled) != read(handle, good), key
        except InvalidRequest as refusal:
            assert refusal.field == key  # noqa: PT017 - refusing is one way of having read it


@pytest.mark.parametrize("handle", ACTIONS)
def test_exactly_the_fields_declared_as_required_are_required(handle: str) -> None:
    for key, required in keys(handle).items():
        without = {name: value for name, value in properties(handle).items() if name != key}
        empty = properties(handle) | {key: ""}
        for given in (without, empty):
            if required:
                with pytest.raises(InvalidRequest) as refusal:
                    read(handle, given)
                assert refusal.value.field == key
            else:
                read(handle, given)


def test_a_grant_can_say_all_that_there_is_to_say_and_a_consumption_all_but_the_days() -> None:
    assert set(keys(GRANT_POINTS)) == set(GOOD)
    assert set(keys(CONSUME_POINTS)) == set(GOOD) - {"days_to_expire"}
    assert set(keys(REPORT_POINTS)) == {"customer_id"}


def result_type(handle: str) -> GraphQLObjectType:
    schema = build_schema("type Query { a: Int } " + shopify_files.return_schema(handle))
    assert validate_schema(schema) == []
    result = schema.type_map[shopify_files.extension(handle)["return_type_ref"]]
    assert isinstance(result, GraphQLObjectType)
    return result


@pytest.mark.parametrize("handle", ACTIONS)
def test_the_declared_result_is_what_an_action_returns(handle: str) -> None:
    answer = flow.flow_answer(Booked((GOOD["cause_entry_id"],), FIGURES))
    body = json.loads(json.dumps(answer.body))["return_value"]
    fields = result_type(handle).fields
    assert list(fields) == list(body)
    for name, field in fields.items():
        assert field.type.serialize(body[name]) == body[name]


@pytest.mark.parametrize("handle", ACTIONS)
def test_a_result_may_lack_any_member(handle: str) -> None:
    """Flow sends an action again, for a day and a half, whose result lacks a non-null member."""
    fields = result_type(handle).fields.values()
    assert [field for field in fields if isinstance(field.type, GraphQLNonNull)] == []


# --- triggers: what is declared is what is sent --------------------------------------------------


def entry() -> BookedEntry:
    example = an_entry(CUSTOMER)
    moves = ((Bucket.APPROVED, -300), (Bucket.SPENT, 300))
    moved = replace(example.entry, topic=Topic.SUB_FLOW, moves=moves, figures=FIGURES)
    return replace(example, entry=moved, text=Text("商品購入", "salt"))


def every_trigger() -> list[Trigger]:
    return [
        triggers.balance(CUSTOMER, FIGURES, Occasion("", "flow")),
        triggers.approved_changed(entry()),
        triggers.changed(entry()),
        triggers.expiring(CUSTOMER, 300, date(2026, 12, 31), Occasion("", "schedule")),
    ]


SENT_AS = {"customer_reference": int, "number_decimal": int, "single_line_text_field": str}


@pytest.mark.parametrize("trigger", every_trigger(), ids=lambda trigger: trigger.handle)
def test_a_trigger_sends_exactly_the_declared_fields_in_their_types(trigger: Trigger) -> None:
    declared = {
        field.get("key", field["type"].replace("_reference", "_id")): SENT_AS[field["type"]]
        for field in shopify_files.fields(trigger.handle)
    }
    assert {key: type(value) for key, value in trigger.payload.items()} == declared


@pytest.mark.parametrize("trigger", every_trigger(), ids=lambda trigger: trigger.handle)
def test_a_trigger_lists_its_fields_in_the_order_in_which_they_are_sent(trigger: Trigger) -> None:
    """The editor keeps the file's order, so both are read the same way."""
    declared = [field.get("key", "customer_id") for field in shopify_files.fields(trigger.handle)]
    assert declared == list(trigger.payload)


@pytest.fixture(scope="module")
def admin_api() -> AdminApi:
    """Shopify's real Admin schema, with the fake behind it."""
    return AdminApi(SCHEMA_FILE)


@pytest.mark.shopify_schema
@pytest.mark.parametrize("trigger", every_trigger(), ids=lambda trigger: trigger.handle)
def test_shopifys_admin_api_takes_a_trigger_as_it_is_sent(
    admin_api: AdminApi, trigger: Trigger
) -> None:
    at = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
    shop = Shop(SHOP, Discounts("JPY"), Triggers())
    answer = admin_api.run(
        FLOW_TRIGGER_RECEIVE.text, trigger._asdict(), Context(shop=shop, now=at, forgotten=None)
    )
    assert "errors" not in answer
    assert answer["data"] == {FLOW_TRIGGER_RECEIVE.root: {"userErrors": []}}
    assert [(taken.handle, taken.payload) for taken in shop.triggers.all()] == [trigger]
