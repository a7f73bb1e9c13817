"""What a production stack rests on, as template.yaml and samconfig.toml state it."""

import json
import re
import tomllib
from typing import Any

import pytest

from local import demo, deployment
from pointbook.errors import SettingsError
from pointbook.settings import Settings, Stage
from tests.artifacts.built import FUNCTIONS, ROOT, TEMPLATE, function_property, variables
from tests.functions.harness import SECRETS

RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
ENVIRONMENTS = ("default", "dev", "staging", "prod")

FLOW_WAITS_SECONDS = 10
SCHEDULED = {"hold_release": 60, "expiry": 15 * 60}
"""Functions on schedule, and the seconds from run to run."""

TABLE_AND_SECRET = {"LedgerTable": "ledger", "AppSecret": "secret"}

REF_ARCHITECTURE = {"Ref": "Architecture"}
DEAD_LETTERS = {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}


def properties(name: str) -> dict[str, Any]:
    """The properties of a resource."""
    found: dict[str, Any] = RESOURCES[name]["Properties"]
    return found


def overrides(environment: str) -> dict[str, str]:
    """The parameters that an environment of samconfig.toml gives."""
    given = CONFIG[environment]["global"]["parameters"]["parameter_overrides"]
    return dict(one.split("=", 1) for one in given)


# --- what must not get lost -----------------------------------------------------------------------


def test_the_ledger_outlives_its_stack_and_can_be_set_back_in_time() -> None:
    table = properties("LedgerTable")
    assert RESOURCES["LedgerTable"]["DeletionPolicy"] == "Retain"
    assert RESOURCES["LedgerTable"]["UpdateReplacePolicy"] == "Retain"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] == {"Fn::If": ["TableIsProtected", True, False]}
    assert TEMPLATE["Conditions"]["TableIsProtected"] == {
        "Fn::Equals": [{"Ref": "DeletionProtection"}, "on"]
    }
    assert TEMPLATE["Parameters"]["DeletionProtection"]["Default"] == "on"


def test_the_ledger_is_paid_by_use_tells_of_changes_and_forgets_nothing_by_itself() -> None:
    table = properties("LedgerTable")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert "TimeToLiveSpecification" not in table
    assert "TableName" not in table, "a name would stand in the way of a replacement"


def test_the_secret_outlives_its_stack() -> None:
    assert RESOURCES["AppSecret"]["DeletionPolicy"] == "Retain"
    assert RESOURCES["AppSecret"]["UpdateReplacePolicy"] == "Retain"


def test_scheduled_work_that_fails_is_kept_for_two_weeks() -> None:
    queue = properties("DeadLetterQueue")
    assert queue["MessageRetentionPeriod"] == 14 * 86_400
    assert queue["SqsManagedSseEnabled"] is True


# --- functions ------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_runs_on_the_chosen_processor_with_the_layer(function: str) -> None:
    assert function_property(function, "Runtime") == "python3.13"
    assert function_property(function, "Architectures") == [REF_ARCHITECTURE]
    assert function_property(function, "Layers") == [{"Ref": "CommonLayer"}]
    assert function_property(function, "Handler") == "app.handler"
    assert function_property(function, "CodeUri") == f"functions/{function}/"


def test_the_layer_is_built_for_the_chosen_processor() -> None:
    metadata = RESOURCES["CommonLayer"]["Metadata"]
    assert metadata["BuildArchitecture"] == REF_ARCHITECTURE
    assert metadata["ContextPath"] == {"Fn::Sub": "layers/common/${Architecture}"}
    assert properties("CommonLayer")["CompatibleArchitectures"] == [REF_ARCHITECTURE]
    assert properties("CommonLayer")["CompatibleRuntimes"] == ["python3.13"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_more_time_than_who_waits_for_it(function: str) -> None:
    timeout_seconds = function_property(function, "Timeout")
    assert timeout_seconds >= FLOW_WAITS_SECONDS
    assert timeout_seconds < SCHEDULED.get(function, 30), "runs overlap, or the API gives up"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_its_own_log_that_is_not_kept_for_ever(function: str) -> None:
    own = RESOURCES[FUNCTIONS[function]]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
    assert own == FUNCTIONS[function].removesuffix("Function") + "LogGroup"
    group = properties(own)
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert group["LogGroupName"]["Fn::Sub"].endswith(f"/{function}")
    assert RESOURCES[own].get("DeletionPolicy", "Delete") == "Delete"


@pytest.mark.parametrize("function", SCHEDULED)
def test_a_schedule_tries_again_and_leaves_a_dead_letter(function: str) -> None:
    ((_, event),) = RESOURCES[FUNCTIONS[function]]["Properties"]["Events"].items()
    assert event["Type"] == "ScheduleV2"
    minutes = re.fullmatch(r"rate\((\d+) minutes?\)", event["Properties"]["ScheduleExpression"])
    assert minutes
    assert int(minutes[1]) * 60 == SCHEDULED[function]
    assert event["Properties"]["RetryPolicy"]["MaximumRetryAttempts"] > 0
    assert event["Properties"]["DeadLetterConfig"] == {"Arn": DEAD_LETTERS}
    assert event["Properties"].get("State", "ENABLED") == "ENABLED"
    invoked = RESOURCES[FUNCTIONS[function]]["Properties"]["EventInvokeConfig"]
    assert invoked["DestinationConfig"]["OnFailure"]["Destination"] == DEAD_LETTERS


# --- the ways in ----------------------------------------------------------------------------------


def test_the_api_has_these_routes_and_no_others() -> None:
    routes = {
        (event["Properties"]["Method"], event["Properties"]["Path"]): function
        for function, logical_id in FUNCTIONS.items()
        for event in RESOURCES[logical_id]["Properties"].get("Events", {}).values()
        if event["Type"] == "HttpApi"
    }
    assert routes == {
        ("GET", "/v1/health"): "health",
        ("GET", "/v1/customers/{customer}/points"): "get_points",
        ("GET", "/v1/customers/{customer}/points/history"): "points_history",
    }


def test_only_flow_actions_have_a_url_of_their_own() -> None:
    """Open to all: Shopify cannot sign for AWS, and the function checks Shopify's signature."""
    urls = {
        function: config
        for function in FUNCTIONS
        if (config := function_property(function, "FunctionUrlConfig"))
    }
    assert urls == {
        "flow_action_consume": {"AuthType": "NONE"},
        "flow_action_grant": {"AuthType": "NONE"},
    }


def test_whoever_is_let_in_from_outside_is_named(resources: dict[str, Any]) -> None:
    """Everybody by function URLs only; the API gateway by its own routes only."""
    permissions = [
        one["Properties"] for one in resources.values() if one["Type"] == "AWS::Lambda::Permission"
    ]
    for one in permissions:
        by_url = "FunctionUrlAuthType" in one or one.get("InvokedViaFunctionUrl") is True
        assert by_url == (one["Principal"] == "*"), one
        assert by_url or (
            one["Principal"] == "apigateway.amazonaws.com" and "PointsApi" in json.dumps(one)
        )
    assert len(permissions) == 3 + 2 * 2


def test_every_page_may_read_and_none_with_credentials() -> None:
    cors = properties("PointsApi")["CorsConfiguration"]
    assert cors["AllowOrigins"] == ["*"]
    assert "AllowCredentials" not in cors
    assert {"authorization", "idempotency-key"} <= set(cors["AllowHeaders"])


# --- secrets and the laptop -----------------------------------------------------------------------


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_secret_stands_in_the_environment(function: str) -> None:
    names = variables(function, overrides("prod") | TABLE_AND_SECRET)
    telling = [name for name in names if re.search("SECRET|TOKEN|PASSWORD|KEY|HMAC", name)]
    assert telling == ["SECRETS_NAME"]
    assert names["SECRETS_NAME"] == TABLE_AND_SECRET["AppSecret"], "its name, not what is in it"
    assert [name for name in names if name.startswith("LOCAL_")] == []


def test_no_secret_stands_in_what_is_deployed() -> None:
    parameters = [name for name in TEMPLATE["Parameters"] if re.search("(?i)secret|token", name)]
    assert parameters == []
    for file in ("template.yaml", "samconfig.toml"):
        text = (ROOT / file).read_text(encoding="utf-8")
        assert [secret for secret in SECRETS.values() if secret in text] == []


# --- environments ---------------------------------------------------------------------------------


def test_these_environments_are_there_and_none_inherits() -> None:
    assert set(CONFIG) - {"version"} == set(ENVIRONMENTS)
    for environment in ENVIRONMENTS:
        assert set(CONFIG[environment]) == {"global", "build", "validate", "deploy"}
        assert CONFIG[environment]["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"
        assert CONFIG[environment]["deploy"]["parameters"]["resolve_s3"] is True
    names = [CONFIG[one]["global"]["parameters"]["stack_name"] for one in ENVIRONMENTS]
    assert names == [f"pointbook-{environment}" for environment in ENVIRONMENTS]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_gives_every_parameter_a_value_that_is_allowed(environment: str) -> None:
    given = overrides(environment)
    declared = TEMPLATE["Parameters"]
    assert given.keys() <= declared.keys()
    for name, parameter in declared.items():
        assert name in given or "Default" in parameter, f"{name} is nowhere given"
        value = str(given.get(name, parameter.get("Default")))
        allowed = [str(one) for one in parameter.get("AllowedValues", [value])]
        assert value in allowed, name
        assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value), name
    tags = CONFIG[environment]["deploy"]["parameters"]["tags"]
    assert f"stage={given['Stage']}" in tags.split()


def test_an_environment_is_the_stage_that_it_is_called() -> None:
    stages = {environment: overrides(environment)["Stage"] for environment in ENVIRONMENTS}
    assert stages == {"default": "dev", "dev": "dev", "staging": "staging", "prod": "prod"}


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_where_there_are_customers_nothing_is_deleted_or_changed_unseen(environment: str) -> None:
    assert overrides(environment)["DeletionProtection"] == "on"
    assert CONFIG[environment]["deploy"]["parameters"]["confirm_changeset"] is True
    assert int(overrides(environment)["LogRetentionDays"]) >= 30


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_start_with_what_an_environment_gives_them(
    environment: str, function: str
) -> None:
    settings = Settings.from_env(variables(function, overrides(environment) | TABLE_AND_SECRET))
    assert settings.stage == overrides(environment)["Stage"]
    assert settings.local_clock_file is None


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize(
    "name", ["LOCAL_CLOCK_FILE", "LOCAL_SECRETS", "LOCAL_SHOPIFY_URL", "LOCAL_TILL_URL"]
)
def test_functions_do_not_start_there_with_what_is_the_laptops(environment: str, name: str) -> None:
    given = variables("health", overrides(environment) | TABLE_AND_SECRET)
    with pytest.raises(SettingsError, match=name):
        Settings.from_env(given | {name: "anything"})


# --- sam local ------------------------------------------------------------------------------------


GIVEN = json.loads((ROOT / "local" / "env.json").read_text(encoding="utf-8"))["Parameters"]
"""What `--env-vars local/env.json` gives every function."""


def test_sam_local_finds_the_demo_shop_of_the_running_stack() -> None:
    assert GIVEN["SHOP_DOMAIN"] == demo.SHOP_DOMAIN
    assert GIVEN["SHOPIFY_CLIENT_ID"] == demo.SHOPIFY_CLIENT_ID
    assert GIVEN["TABLE_NAME"] == deployment.TABLE_NAME
    assert GIVEN["SECRETS_NAME"] == deployment.SECRETS_NAME


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_starts_with_what_sam_local_gives_it(function: str) -> None:
    declared = variables(function, overrides("default") | TABLE_AND_SECRET)
    assert Settings.from_env(declared | GIVEN).stage is Stage.LOCAL


def test_the_template_declares_what_sam_local_would_else_drop() -> None:
    assert GIVEN.keys() <= TEMPLATE["Globals"]["Function"]["Environment"]["Variables"].keys()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_deployed_function_speaks_to_no_other_aws(environment: str, function: str) -> None:
    deployed = variables(function, overrides(environment) | TABLE_AND_SECRET)
    assert [name for name in deployed if name.startswith("AWS_")] == []
