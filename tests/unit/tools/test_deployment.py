"""What `make deploy` asks for before it builds, and says afterwards."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from tools import deployment

COMPLETE = {
    "ShopDomain": "shop.myshopify.com",
    "ShopifyClientId": "client-id",
    "OperatorEmail": "team@shop.example",
}


def missing(environment: str, **changes: str | None) -> list[str]:
    given = {name: value for name, value in {**COMPLETE, **changes}.items() if value is not None}
    overrides = [f"{name}={value}" for name, value in given.items()]
    return [*deployment.missing(environment, {"parameter_overrides": overrides})]


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_a_complete_environment_lacks_nothing(environment: str) -> None:
    assert missing(environment) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ShopDomain", "shop.myshopify.com,your-shop.myshopify.com"),
        ("ShopDomain", None),
        ("ShopifyClientId", "your-client-id"),
        ("ShopifyClientId", ""),
        ("OperatorEmail", "your-team@example.com"),
        ("OperatorEmail", ""),
        ("OperatorEmail", None),
        ("LoginUrl", "https://your-shop.example/login"),
    ],
)
def test_whatever_is_a_placeholder_or_missing_is_named(name: str, value: str | None) -> None:
    (problem,) = missing("prod", **{name: value})
    assert f"[prod.*]: {name} is " in problem


def test_a_trial_stack_needs_no_address_for_alarms() -> None:
    assert missing("dev", OperatorEmail=None) == []
    assert len(missing("staging", OperatorEmail=None)) == 1


class Stack:
    """A stack that has just been deployed."""

    name = "pointbook-prod"

    def __init__(self, **members: Any) -> None:
        self.settings = SimpleNamespace(
            secrets_name="the-secret", till_provider="smaregi", shopify_client_id="client-id"
        )
        self.outputs = {
            "ApiUrl": "https://abc.execute-api.ap-northeast-1.amazonaws.com",
            "FlowActionConsumeUrl": "https://c.lambda-url.ap-northeast-1.on.aws/",
            "FlowActionGrantUrl": "https://g.lambda-url.ap-northeast-1.on.aws/",
            "FlowActionReportUrl": "https://r.lambda-url.ap-northeast-1.on.aws/",
        }
        self.members = members

    def client(self, _: str) -> "Stack":
        return self

    def get_secret_value(self, **_: str) -> dict[str, str]:
        return {"SecretString": json.dumps(self.members), "VersionId": "v1"}


def steps(stack: Any) -> str:
    return "\n".join(deployment.next_steps(stack, "prod"))


def test_the_first_deployment_is_followed_by_every_step_with_its_address() -> None:
    said = steps(Stack(client_secret="", till={"contract_id": "sb_1"}))
    assert "pointbook secret set client_secret --env prod" in said
    assert "secret set till.client_id --env prod" in said
    assert "till.contract_id" not in said
    assert "fill-in-api.example.com      abc.execute-api.ap-northeast-1.amazonaws.com\n" in said
    assert "fill-in-report.example.com   r.lambda-url.ap-northeast-1.on.aws\n" in said
    assert said.endswith("pointbook doctor --env prod")


def test_a_later_deployment_does_not_ask_for_what_is_set() -> None:
    till = {"contract_id": "sb_1", "client_id": "id", "client_secret": "s"}
    assert "secret set" not in steps(Stack(client_secret="set", till=till))
