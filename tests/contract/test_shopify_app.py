"""The app's file subscribes to what the code works on: no more, no less, and no personal data."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml
from graphql import get_operation_ast, get_variable_values, parse, validate

from local.fakes.shopify_schema import API_VERSION, SCHEMA_FILE, load_schema
from pointbook.domain.metafields import TYPES
from pointbook.shopify.documents import API_VERSION as DOCUMENTS_VERSION
from pointbook.shopify.flow_lifecycle import NAMES
from pointbook.shopify.projection import SHAPES, Shape, Value
from pointbook.shopify.topics import CHECKED
from tests.support import shopify_files

WEBHOOKS = "/v1/webhooks/shopify"

NOT_BY_FILE = {"metafields"}
"""An app's file cannot subscribe to metafields: orders-with-till-points.graphql does."""

NOT_PROJECTED = defaultdict(
    set, {"app/uninstalled": {"updated_at"}, "customers/enable": {"updated_at"}}
)
"""Fields that are asked for only because they differ from delivery to delivery."""

DIFFERENT_EACH_TIME = {
    "orders/create": {"id"},
    "orders/paid": {"id", "updated_at"},
    "orders/updated": {"id", "updated_at"},
    "orders/cancelled": {"id", "updated_at"},
    "refunds/create": {"id"},
    "customers/create": {"id"},
    "customers/enable": {"id", "updated_at"},
    "customers/merge": {
        "admin_graphql_api_customer_kept_id",
        "admin_graphql_api_customer_deleted_id",
        "status",
    },
    "app/uninstalled": {"myshopify_domain", "updated_at"},
}
"""By topic, the fields that together name one event.

Shopify takes deliveries whose fields are all the same for one, and drops all but the first
(https://shopify.dev/docs/apps/build/webhooks/best-practices, "Avoid debounces"). A shop may remove
the app again after it was installed again, an account may be enabled again, an order is paid or
changed many times, and a merge is reported as it begins and as it ends.
"""

COMPLIANCE = {"customers/data_request", "customers/redact", "shop/redact"}

PERSONAL = re.compile(
    r"e?mail|phone|name|first_name|last_name|note|note_attributes|addresses|.*_address"
    r"|browser_ip|client_details|user_id|contact_email|receipt|payment_details|properties"
)


def subscriptions() -> list[dict[str, Any]]:
    return shopify_files.app()["webhooks"]["subscriptions"]


def topics() -> list[str]:
    return [topic for one in subscriptions() for topic in one.get("topics", [])]


def include_fields(topic: str) -> list[str]:
    (found,) = [one for one in subscriptions() if topic in one.get("topics", [])]
    return found["include_fields"]


def paths(shape: Shape, above: str = "") -> Iterator[str]:
    """Every field that the projection keeps, with dots: "line_items.price"."""
    for name, part in shape.items():
        if isinstance(part, Value):
            yield above + name
        else:
            yield from paths(part.shape, f"{above}{name}.")


def and_above(path: str) -> set[str]:
    """The path and all that it is part of."""
    steps = path.split(".")
    return {".".join(steps[:count]) for count in range(1, len(steps) + 1)}


def test_every_topic_that_is_worked_on_is_subscribed_to_once_and_no_other() -> None:
    compliance = [topic for one in subscriptions() for topic in one.get("compliance_topics", [])]
    assert sorted(topics() + compliance) == sorted(SHAPES)
    assert set(compliance) == COMPLIANCE


@pytest.mark.parametrize("topic", topics())
def test_every_projected_field_is_subscribed_to(topic: str) -> None:
    included = set(include_fields(topic))
    missing = [path for path in paths(SHAPES[topic]) if not and_above(path) & included]
    assert set(missing) <= NOT_BY_FILE


@pytest.mark.parametrize("topic", topics())
def test_no_field_that_the_projection_drops_is_subscribed_to(topic: str) -> None:
    projected = {part for path in paths(SHAPES[topic]) for part in and_above(path)}
    assert set(include_fields(topic)) <= projected | CHECKED[topic] | NOT_PROJECTED[topic]


@pytest.mark.parametrize("topic", topics())
def test_every_field_that_shows_topic_and_shop_is_subscribed_to(topic: str) -> None:
    assert CHECKED[topic] <= set(include_fields(topic))


@pytest.mark.parametrize("topic", topics())
def test_no_two_events_of_a_topic_have_the_same_fields(topic: str) -> None:
    assert DIFFERENT_EACH_TIME[topic] <= set(include_fields(topic))


def test_every_topic_says_what_tells_its_events_apart() -> None:
    assert sorted(DIFFERENT_EACH_TIME) == sorted(topics())


@pytest.mark.parametrize("topic", topics())
def test_no_personal_field_is_subscribed_to(topic: str) -> None:
    fields = set(include_fields(topic)) - {"name"}  # an order's own name, such as #1001
    steps = {step for field in fields for step in field.split(".")}
    assert [step for step in steps if PERSONAL.fullmatch(step)] == []


@pytest.mark.parametrize("topic", topics())
def test_a_field_is_subscribed_to_once_and_at_most_one_step_down(topic: str) -> None:
    """Shopify documents "variants.price", and nothing deeper."""
    included = include_fields(topic)
    assert len(included) == len(set(included))
    assert [field for field in included if field.count(".") > 1] == []
    assert [field for field in included if (and_above(field) - {field}) & set(included)] == []


def test_webhooks_come_in_the_version_that_the_code_is_tested_against() -> None:
    subscribed = shopify_files.app()["webhooks"]["api_version"]
    assert subscribed == API_VERSION == DOCUMENTS_VERSION


@pytest.mark.parametrize(
    "declared", subscriptions(), ids=lambda one: one.get("topics", ["compliance"])[0]
)
def test_a_subscription_has_members_that_shopify_knows(declared: Mapping[str, Any]) -> None:
    assert declared.keys() <= {"topics", "compliance_topics", "uri", "include_fields", "filter"}
    assert declared["uri"] == WEBHOOKS


def test_the_scopes_are_those_of_what_is_used() -> None:
    used = {
        "read_orders",  # orders/*, refunds/*
        "read_customers",  # customers/create, customer references in Flow
        "read_customer_merge",  # customers/merge
        "write_customers",  # metafields
        "write_discounts",  # the codes of held points
        "read_discounts",  # looking one up after a lost answer
        "write_app_proxy",  # [app_proxy]
    }
    scopes = shopify_files.app()["access_scopes"]["scopes"].split(",")
    assert sorted(scopes) == scopes
    assert set(scopes) == used


def test_every_metafield_is_declared_with_its_type_and_for_reading_only() -> None:
    declared = shopify_files.app()["customer"]["metafields"]
    assert declared.keys() == {"app"}, "an app declares metafields of its own namespace only"
    assert {key: one["type"] for key, one in declared["app"].items()} == dict(TYPES)
    for key, one in declared["app"].items():
        assert re.fullmatch("[a-z_]{2,64}", key)
        assert one["name"]
        assert one["access"] == {
            "admin": "merchant_read",
            "customer_account": "read",
            "storefront": "none",
        }


def test_an_app_without_pages_is_not_embedded_and_keeps_its_addresses_in_development() -> None:
    app = shopify_files.app()
    assert app["embedded"] is False
    assert app["build"]["automatically_update_urls_on_dev"] is False


def routes() -> set[tuple[str, str]]:
    """Method and path of every route of the HTTP API."""
    text = (shopify_files.ROOT / "template.yaml").read_text(encoding="utf-8")
    plain = re.sub(r"!(\w+)", "", text)
    resources = yaml.safe_load(plain)["Resources"].values()
    events = [
        event["Properties"]
        for resource in resources
        for event in resource.get("Properties", {}).get("Events", {}).values()
        if event["Type"] == "HttpApi"
    ]
    return {(event["Method"], event["Path"]) for event in events}


def test_the_app_proxy_leads_to_my_pages_api() -> None:
    proxy = shopify_files.app()["app_proxy"]
    assert proxy["prefix"] in {"a", "apps", "community", "tools"}
    assert re.fullmatch(r"[a-z0-9-]{1,30}", proxy["subpath"])
    assert ("GET", proxy["url"] + "/customers/{customer}/points") in routes()


def test_webhooks_lead_to_a_route_of_the_api() -> None:
    assert ("POST", WEBHOOKS) in routes()


def test_the_lifecycle_callback_leads_to_a_route_of_the_api() -> None:
    (handle,) = shopify_files.of_type("flow_trigger_lifecycle_callback")
    assert ("POST", shopify_files.extension(handle)["url"]) in routes()


def test_a_lifecycle_callback_may_name_a_trigger_by_its_handle_or_its_name() -> None:
    triggers = shopify_files.of_type("flow_trigger")
    assert {shopify_files.extension(handle)["name"].lower(): handle for handle in triggers} == NAMES


PLACEHOLDER = re.compile(r"fill-in-[a-z-]+?(?=\.example\.com|[\"/])")


def test_every_value_to_fill_in_is_marked_and_explained() -> None:
    readme = (shopify_files.SHOPIFY / "README.md").read_text(encoding="utf-8")
    files = [
        file
        for pattern in ("*.toml", "*.json", "shared/*.js")
        for file in shopify_files.SHOPIFY.rglob(pattern)
        if "node_modules" not in file.parts
    ]
    found = {
        name for file in files for name in PLACEHOLDER.findall(file.read_text(encoding="utf-8"))
    }
    assert len(found) == 5
    assert [name for name in found if f"`{name}" not in readme] == []
    unmarked = [
        line
        for file in files
        if file.suffix != ".json"
        for line in file.read_text(encoding="utf-8").splitlines()
        if PLACEHOLDER.search(line) and " fill in:" not in line
    ]
    assert unmarked == []


# --- what an app's file cannot say --------------------------------------------------------------


def till_points_variables() -> dict[str, Any]:
    file = shopify_files.SHOPIFY / "orders-with-till-points.json"
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.shopify_schema
def test_the_subscription_with_metafields_is_one_that_shopify_takes() -> None:
    schema = load_schema(SCHEMA_FILE)
    file = shopify_files.SHOPIFY / "orders-with-till-points.graphql"
    document = parse(file.read_text(encoding="utf-8"))
    assert validate(schema, document) == []
    operation = get_operation_ast(document)
    assert operation is not None
    values = get_variable_values(
        schema, operation.variable_definitions or (), till_points_variables()
    )
    assert isinstance(values, dict), values


def test_the_subscription_with_metafields_includes_the_same_fields_and_them() -> None:
    subscription = till_points_variables()["subscription"]
    assert subscription["includeFields"] == [*include_fields("orders/updated"), *NOT_BY_FILE]
    assert subscription["uri"].endswith(WEBHOOKS)
    projected = {(one["namespace"], one["key"]) for one in subscription["metafields"]}
    metafields = [{"namespace": space, "key": key, "value": "5"} for space, key in projected]
    part = SHAPES["orders/updated"]["metafields"]
    assert isinstance(part, Value)
    assert part.read(metafields) == metafields
