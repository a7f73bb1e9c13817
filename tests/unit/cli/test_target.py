"""The stack that a command works on, and the messages if there is none."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.stub import Stubber

from cli import target
from cli.errors import CommandFailed
from cli.target import Target
from pointbook.clock import MovedClock, SystemClock
from pointbook.settings import Settings
from tests.unit.local.stacks import noted_stack

VARIABLES = {
    "STAGE": "dev",
    "TABLE_NAME": "pointbook-dev-LedgerTable",
    "SHOP_DOMAIN": "your-dev-shop.myshopify.com",
    "SHOPIFY_CLIENT_ID": "client-id",
    "SECRETS_NAME": "pointbook/dev",
    "PROGRAMME_HOLD_SECONDS": "300",
}
OUTPUTS = [{"OutputKey": "ApiUrl", "OutputValue": "https://api.example.com"}]
RESOURCES = [
    {"LogicalResourceId": "GetPointsFunction", "PhysicalResourceId": "dev-GetPoints"},
    {"LogicalResourceId": "LedgerTable"},
]


def _answer(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


class Aws:
    """What AWS answers, and the requests."""

    def __init__(self) -> None:
        self.requests: list[object] = []
        self.variables = VARIABLES
        self.resources = RESOURCES
        self.fault: Exception | None = None

    def session(self, **options: str) -> "Aws":
        self.requests.append(options)
        return self

    def client(self, service: str, endpoint_url: str | None = None) -> "Aws":
        self.requests.append((service, endpoint_url))
        return self

    def describe_stacks(self, **request: str) -> dict[str, Any]:
        self._answer(request)
        return {"Stacks": [{"StackStatus": "ROLLBACK_COMPLETE", "Outputs": OUTPUTS}]}

    def describe_stack_resource(self, **request: str) -> dict[str, Any]:
        self._answer(request)
        for one in self.resources:
            if one["LogicalResourceId"] == request["LogicalResourceId"]:
                return {"StackResourceDetail": one}
        raise ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStackResource")

    def get_function_configuration(self, **request: str) -> dict[str, Any]:
        self._answer(request)
        return {"Environment": {"Variables": self.variables}}

    def _answer(self, request: dict[str, str]) -> None:
        self.requests.append(request)
        if self.fault:
            raise self.fault


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    aws = Aws()
    monkeypatch.setattr("boto3.Session", aws.session)
    return aws


@pytest.fixture
def find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Target]:
    """Finds the stack that arguments name, on a laptop of its own."""
    monkeypatch.setenv("LOCAL_DIRECTORY", str(tmp_path))
    return lambda env=None: target.target_of(env)


def test_a_deployed_stack_is_found_by_samconfig_and_read_from_its_function(
    aws: Aws, find: Callable[..., Target]
) -> None:
    found = find("dev")
    assert aws.requests == [
        {"region_name": "ap-northeast-1"},
        ("cloudformation", None),
        ("lambda", None),
        {"StackName": "pointbook-dev"},
        {"StackName": "pointbook-dev", "LogicalResourceId": "GetPointsFunction"},
        {"FunctionName": "dev-GetPoints"},
    ]
    assert found.name == "pointbook-dev"
    assert found.settings.table_name == VARIABLES["TABLE_NAME"]
    assert found.settings.default_programme().hold_seconds == 300
    assert found.api_url == "https://api.example.com"
    assert found.shop(None) == VARIABLES["SHOP_DOMAIN"]
    assert type(found.clock()) is SystemClock


def test_an_unknown_environment_lists_those_that_exist(find: Callable[..., Target]) -> None:
    with pytest.raises(CommandFailed, match=r"no 'production'; it has .*dev, staging, prod\."):
        find("production")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (NoCredentialsError(), "There are no AWS credentials here. Log in to AWS"),
        (_answer("AccessDenied", "User hanako may not"), "Your AWS role may not do this: User"),
        (_answer("ExpiredToken", "The token"), "Your login at AWS has expired. Log in again"),
        (_answer("ValidationError", "Stack"), "There is no stack pointbook-dev in this account"),
    ],
)
def test_an_error_of_aws_says_what_to_do(
    aws: Aws, find: Callable[..., Target], fault: Exception, said: str
) -> None:
    aws.fault = fault
    with pytest.raises(CommandFailed) as problem:
        find("dev")
    assert said in str(problem.value)


def test_a_profile_that_is_not_there_is_named(
    find: Callable[..., Target], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(CommandFailed, match="AWS_PROFILE"):
        find("dev")


def test_a_stack_without_functions_is_reported_with_its_status(
    aws: Aws, find: Callable[..., Target]
) -> None:
    aws.resources = RESOURCES[1:]
    with pytest.raises(CommandFailed, match="ROLLBACK_COMPLETE"):
        find("dev")


def test_invalid_variables_of_a_stack_are_reported(aws: Aws, find: Callable[..., Target]) -> None:
    aws.variables = VARIABLES | {"PROGRAMME_HOLD_SECONDS": "soon"}
    with pytest.raises(CommandFailed, match="PROGRAMME_HOLD_SECONDS"):
        find("dev")


def test_without_a_local_stack_the_message_says_how_to_start_one(
    find: Callable[..., Target],
) -> None:
    assert not target.is_running_here()
    with pytest.raises(CommandFailed, match="`make run`"):
        find()


def test_the_local_stack_is_found_by_stack_json(
    aws: Aws, find: Callable[..., Target], tmp_path: Path
) -> None:
    aws.variables = VARIABLES | {"STAGE": "local", "LOCAL_CLOCK_FILE": "clock.json"}
    stack = noted_stack("http://127.0.0.1:8080", "http://127.0.0.1:8081")
    stack.write(tmp_path / "stack.json")
    assert target.is_running_here()
    found = find()
    assert {"StackName": "pointbook-local"} in aws.requests
    assert found.client("dynamodb") is aws
    assert aws.requests[-1] == ("dynamodb", "http://127.0.0.1:8081")
    assert type(found.clock()) is MovedClock


def test_resources_of_a_type_are_found_on_every_page() -> None:
    cloudformation = boto3.client(
        "cloudformation", "ap-northeast-1", aws_access_key_id="-", aws_secret_access_key="-"
    )
    function, table = "AWS::Lambda::Function", "AWS::DynamoDB::Table"
    pages = {"": [("First", function), ("Table", table)], "2": [("Second", function)]}
    with Stubber(cloudformation) as aws:
        for token, page in pages.items():
            request = {"StackName": "pointbook-dev"} | ({"NextToken": token} if token else {})
            answer = {"StackResourceSummaries": [_summary(*one) for one in page]}
            aws.add_response(
                "list_stack_resources", answer | ({} if token else {"NextToken": "2"}), request
            )
        settings = Settings.from_env(VARIABLES)
        session = SimpleNamespace(client=lambda _, **__: cloudformation)
        stack = Target("pointbook-dev", settings, session, None, {})
        assert stack.resources(function) == {"First": "dev-First", "Second": "dev-Second"}
        aws.assert_no_pending_responses()


def _summary(logical_id: str, kind: str) -> dict[str, Any]:
    return {
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": f"dev-{logical_id}",
        "ResourceType": kind,
        "LastUpdatedTimestamp": datetime(2026, 11, 30, tzinfo=UTC),
        "ResourceStatus": "CREATE_COMPLETE",
    }
