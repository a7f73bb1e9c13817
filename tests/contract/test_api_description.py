"""docs/openapi.yaml describes what template.yaml deploys, and its examples are as it says."""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest

from local import deployment
from pointbook.domain.entry import Topic
from pointbook.entrypoints.response import TIMED_STEPS
from pointbook.services.imports import STATUSES
from pointbook.shopify.webhook import QUEUES
from tests.support import api_description
from tests.support.api_description import Mismatch, operations
from tools import openapi

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = api_description.document()
OPERATIONS = operations()
TEMPLATE: dict[str, Any] = deployment.read_template(ROOT)

EXAMPLES = list(api_description.examples())
EVENTS = [
    (path.parent.name, path.stem)
    for path in sorted((ROOT / "events").glob("*/*.json"))
    if path.parent.name in {one.function for one in OPERATIONS.values()}
]


def deployed() -> Mapping[tuple[str, str], tuple[str, str]]:
    """Each route and method of the template: its function, and its authentication."""
    routes: dict[tuple[str, str], tuple[str, str]] = {}
    for logical_id, resource in TEMPLATE["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        properties = resource["Properties"]
        name = deployment.snake_case(logical_id.removesuffix("Function"))
        if "FunctionUrlConfig" in properties:
            routes[f"{api_description.FUNCTION_URL}{name}", "post"] = name, "NONE"
        for event in properties.get("Events", {}).values():
            if event["Type"] == "HttpApi":
                route = event["Properties"]
                method = route["Method"].lower()
                authorizer = route.get("Auth", {}).get("Authorizer", "NONE")
                routes[route["Path"], method] = name, authorizer
    return routes


def test_the_description_is_valid_openapi() -> None:
    openapi_spec_validator.validate(copy.deepcopy(DOCUMENT))
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_every_route_and_method_of_the_template_is_described_and_nothing_else() -> None:
    described = {(one.path, one.method): one.function for one in OPERATIONS.values()}
    assert described == {route: name for route, (name, _) in deployed().items()}


def is_operators(security: list[Any]) -> bool:
    """Whether only operators may call."""
    return security == [{"operator": []}]


def test_what_only_operators_may_call_is_what_the_gateway_authenticates() -> None:
    by_iam = {name for name, authorizer in deployed().values() if authorizer == "AWS_IAM"}
    schemes = {name: one.content["security"] for name, one in OPERATIONS.items()}
    functions = {OPERATIONS[name].function for name in schemes if is_operators(schemes[name])}
    assert functions == by_iam
    assert by_iam
    open_to_all = {name for name, needed in schemes.items() if not needed or {} in needed}
    preflights = {name for name in OPERATIONS if name.endswith("_preflight")}
    assert open_to_all == {"health", "app_page", *preflights}


def test_every_schema_and_every_answer_that_is_kept_apart_is_used() -> None:
    written = openapi.FILE.read_text(encoding="utf-8")
    for kind, members in DOCUMENT["components"].items():
        if kind != "securitySchemes":
            unused = [name for name in members if f"#/components/{kind}/{name}" not in written]
            assert unused == [], kind
    used = {
        name for one in OPERATIONS.values() for need in one.content["security"] for name in need
    }
    assert used == DOCUMENT["components"]["securitySchemes"].keys()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one[0])
def test_an_example_is_as_described(example: tuple[str, Any, Any, bool]) -> None:
    api_description.check_example(*example)


def test_every_body_that_is_sent_has_an_example() -> None:
    with_body = {name for name, one in OPERATIONS.items() if "requestBody" in one.content}
    assert with_body
    assert with_body == {where.partition(",")[0] for where, *_ in EXAMPLES if ", request" in where}


def event(function: str, case: str) -> dict[str, Any]:
    """A sample event."""
    text = (ROOT / "events" / function / f"{case}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


UNREADABLE = {
    *("not_json", "blank_key", "long_key", "key_in_body_blank", "key_in_body_no_text"),
    *("points_missing", "points_zero", "points_fraction", "points_too_many", "reason_missing"),
    *("day_unknown_form", "customer_unknown_form", "order_no_number", "timestamp_missing"),
    *("too_many_rows", "no_rows", "row_without_number", "dry_run_as_text", "origin_unknown"),
    *("import_id_unknown_form", "till_unknown_word", "by_too_long", "by_unknown_form"),
    *(
        "limit_too_high",
        "month_unknown_form",
        "rules_no_object",
        "preview_as_text",
        "day_missing",
        "kind_unknown",
        "run_id_unknown_form",
    ),
}
"""Sample events that are refused for their form, by the names of their cases."""

OTHERWISE = {
    *("base64_body", "lone_surrogate", "not_post", "new_header_names"),
    *("no_key", "key_in_body_and_another"),
}
"""Those whose form JSON Schema does not see: encoded, half a character, another method, other
names, or a key that may be in header or body."""


@pytest.mark.parametrize(
    ("function", "case"), [sample for sample in EVENTS if sample[1] not in OTHERWISE]
)
def test_a_sample_event_is_a_request_as_described_unless_its_form_is_refused(
    function: str, case: str
) -> None:
    sample = event(function, case)
    operation = api_description.operation_of(function, sample)
    assert operation is not None
    if case in UNREADABLE:
        with pytest.raises(Mismatch):
            api_description.check_request(operation, sample)
    else:
        api_description.check_request(operation, sample)


def test_every_exception_is_the_name_of_a_sample() -> None:
    assert {case for _, case in EVENTS} >= UNREADABLE | OTHERWISE


# --- lists that the code has as well --------------------------------------------------------------


def enum(*names: str) -> list[Any]:
    """The values of a schema."""
    schema: Any = DOCUMENT["components"]["schemas"]
    for name in names:
        schema = schema[name]
    values: list[Any] = schema["enum"]
    return values


def test_the_topics_of_entries_are_all_that_there_are() -> None:
    assert enum("Entry", "properties", "topic") == list(Topic)


def test_the_results_of_rows_are_all_that_there_are() -> None:
    rows = ("ImportResult", "properties", "rows", "items", "properties")
    assert enum(*rows, "status") == list(STATUSES)


def test_the_topics_of_webhooks_are_named() -> None:
    parameters = OPERATIONS["shopify_webhook"].content["parameters"]
    text = next(one["description"] for one in parameters if one["name"] == "X-Shopify-Topic")
    assert {topic for topic in QUEUES if f"`{topic}`" not in text} == set()


def test_the_timed_steps_are_those_of_the_header() -> None:
    example = DOCUMENT["components"]["headers"]["ServerTiming"]["example"]
    assert [part.partition(";")[0] for part in example.split(", ")] == list(TIMED_STEPS)


# --- what holds answers to it ---------------------------------------------------------------------


class Given:
    """An answer to be checked."""

    def __init__(self, status: int, text: str, content_type: str = "application/json") -> None:
        self.status, self.text = status, text
        self.headers = {"X-Request-Id": "1", "Content-Type": content_type}


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, {"status": "noted", "shop": "demo"}, "shop"),
        (200, {"status": "done"}, "status"),
        (200, {}, "status"),
        (400, {"code": "unknown_shop"}, "code"),
        (418, {}, "is not described"),
    ],
)
def test_an_answer_that_is_not_described_is_seen(status: int, body: object, said: str) -> None:
    lifecycle = OPERATIONS["flow_lifecycle"]
    api_description.check_answer(lifecycle, Given(200, '{"status": "noted"}'))
    with pytest.raises(Mismatch, match=said):
        api_description.check_answer(lifecycle, Given(status, json.dumps(body)))


def test_a_header_or_a_content_type_that_is_not_described_is_seen() -> None:
    lifecycle, answer = OPERATIONS["flow_lifecycle"], Given(200, "<p>", "text/html")
    with pytest.raises(Mismatch, match="text/html"):
        api_description.check_answer(lifecycle, answer)
    answer = Given(200, '{"status": "noted"}')
    del answer.headers["X-Request-Id"]
    with pytest.raises(Mismatch, match="X-Request-Id"):
        api_description.check_answer(lifecycle, answer)
