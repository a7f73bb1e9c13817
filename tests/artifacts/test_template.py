"""template.yaml and samconfig.toml: data protection, functions, routes, outputs, environments."""

import json
import re
from typing import Any

import pytest
import yaml

from cli import redrive
from local import demo, deployment
from pointbook.errors import SettingsError
from pointbook.services.bulk_imports.parts import PART_SECONDS
from pointbook.settings import Settings, Stage
from tests.artifacts.built import (
    ANSWERS_HTTP,
    BUILD,
    FUNCTIONS,
    IMPORT_QUEUE,
    NO_VALUE,
    QUEUES,
    RESOURCES,
    ROOT,
    SCHEDULES,
    TEMPLATE,
    WORKERS,
    function_property,
    of_type,
    properties,
    variables,
)
from tests.artifacts.cloud import BUCKETS
from tests.artifacts.given import CONFIG, RESOLVED, overrides
from tests.support.harness import SECRETS

ENVIRONMENTS = ("default", "dev", "staging", "prod")

FLOW_WAITS_SECONDS = 10
API_WAITS_SECONDS = 30

REF_ARCHITECTURE = {"Ref": "Architecture"}

OF_THE_DOMAIN = ("DomainName", "CertificateArn", "HostedZoneId")

CALLED_BY_PAGES = ("/v1/customers/", "/v1/staff/")
"""How the routes begin that pages and extensions of another origin call."""


# --- data protection ------------------------------------------------------------------------------


def test_the_ledger_is_not_deleted_by_mistake_and_can_be_restored_to_a_point_in_time() -> None:
    table = properties("LedgerTable")
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] == {"Fn::If": ["TableIsProtected", True, False]}
    assert TEMPLATE["Conditions"]["TableIsProtected"] == {
        "Fn::Equals": [{"Ref": "DeletionProtection"}, "on"]
    }
    assert TEMPLATE["Parameters"]["DeletionProtection"]["Default"] == "on"


def test_the_ledger_is_on_demand_with_a_stream_and_without_a_ttl() -> None:
    table = properties("LedgerTable")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert "TimeToLiveSpecification" not in table
    assert "TableName" not in table, "a name would stand in the way of a replacement"


def test_irreplaceable_resources_are_retained() -> None:
    """All but what the first deployment made, if it failed: no later one could use that."""
    policies = ("DeletionPolicy", "UpdateReplacePolicy")
    retained = {
        name: tuple(resource.get(policy) for policy in policies)
        for name, resource in RESOURCES.items()
        if any(policy in resource for policy in policies)
    }
    assert retained.keys() == {"LedgerTable", "AppSecret", "TokenKey", *BUCKETS}
    assert set(retained.values()) == {("RetainExceptOnCreate", "Retain")}


def test_a_copy_outside_the_region_is_made_only_if_a_vault_is_named() -> None:
    names = ("BackupPlan", "BackupSelection", "BackupRole")
    assert {RESOURCES[name]["Condition"] for name in names} == {"HasBackupCopy"}
    assert TEMPLATE["Parameters"]["BackupCopyVaultArn"]["Default"] == ""
    (rule,) = properties("BackupPlan")["BackupPlan"]["BackupPlanRule"]
    (copy,) = rule["CopyActions"]
    assert copy["DestinationBackupVaultArn"] == {"Ref": "BackupCopyVaultArn"}
    assert copy["Lifecycle"]["DeleteAfterDays"] == 35, "docs/privacy.md says so"
    selected = properties("BackupSelection")["BackupSelection"]["Resources"]
    assert selected == [{"Fn::GetAtt": ["LedgerTable", "Arn"]}]


def test_the_token_key_rotates_every_year() -> None:
    assert properties("TokenKey")["EnableKeyRotation"] is True
    assert properties("TokenKeyAlias")["TargetKeyId"] == {"Ref": "TokenKey"}


@pytest.mark.parametrize("name", of_type("AWS::S3::Bucket"))
def test_a_bucket_is_private_and_encrypted(name: str) -> None:
    bucket = properties(name)
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    (owner,) = bucket["OwnershipControls"]["Rules"]
    assert owner["ObjectOwnership"] == "BucketOwnerEnforced"
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert "BucketName" not in bucket


def test_the_bucket_of_heads_locks_what_is_written_for_as_long_as_it_is_kept() -> None:
    bucket, days = properties("HeadsBucket"), {"Ref": "HeadsLockDays"}
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}, "object lock needs it"
    condition, rule, otherwise = bucket["ObjectLockConfiguration"]["Rule"]["Fn::If"]
    assert (condition, otherwise) == ("LocksHeads", NO_VALUE)
    assert rule["DefaultRetention"] == {
        "Mode": {"Fn::If": ["LocksHeadsForAll", "COMPLIANCE", "GOVERNANCE"]},
        "Days": days,
    }
    compliance = {"Fn::Equals": [{"Ref": "HeadsLock"}, "compliance"]}
    assert TEMPLATE["Conditions"]["LocksHeadsForAll"] == compliance
    (forget,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (forget["Status"], forget["ExpirationInDays"]) == ("Enabled", days)
    assert forget["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    assert TEMPLATE["Parameters"]["HeadsLock"]["Default"] == "governance"


def test_the_bucket_of_exports_deletes_after_30_days() -> None:
    bucket = properties("PrivacyBucket")
    (forget,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (forget["Status"], forget["ExpirationInDays"]) == ("Enabled", 30)
    assert "Prefix" not in forget, "all of it"
    assert "VersioningConfiguration" not in bucket, "an old version would be kept for ever"


def test_statements_are_kept_in_every_version_and_only_sums_under_way_are_deleted() -> None:
    bucket = properties("StatementsBucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (rule,) = bucket["LifecycleConfiguration"]["Rules"]
    assert rule["Prefix"] == "progress/"


@pytest.mark.parametrize("name", of_type("AWS::S3::Bucket"))
def test_a_bucket_accepts_encrypted_connections_only(name: str) -> None:
    policy = properties(f"{name}Policy")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert policy["Bucket"] == {"Ref": name}
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Action"] == "s3:*"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    bucket = {"Fn::GetAtt": [name, "Arn"]}
    assert statement["Resource"] == [bucket, {"Fn::Sub": f"${{{name}.Arn}}/*"}]


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
def test_a_functions_timeout_fits_its_caller(function: str) -> None:
    """Longer than Flow waits, shorter than API Gateway; schedules are tested in test_background."""
    timeout_seconds = function_property(function, "Timeout")
    assert timeout_seconds >= FLOW_WAITS_SECONDS
    if function in ANSWERS_HTTP:
        assert timeout_seconds < API_WAITS_SECONDS
    elif function in WORKERS:
        assert timeout_seconds <= 60
    elif function in IMPORT_QUEUE:
        assert PART_SECONDS < timeout_seconds < properties("ImportRowsQueue")["VisibilityTimeout"]
    else:
        assert function in SCHEDULES


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_its_own_log_that_is_not_kept_for_ever(function: str) -> None:
    own = properties(FUNCTIONS[function])["LoggingConfig"]["LogGroup"]["Ref"]
    assert own == FUNCTIONS[function].removesuffix("Function") + "LogGroup"
    group = properties(own)
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert group["LogGroupName"]["Fn::Sub"].endswith(f"/{function}")
    assert RESOURCES[own].get("DeletionPolicy", "Delete") == "Delete"


# --- routes and URLs ------------------------------------------------------------------------------


def routes() -> dict[tuple[str, str], str]:
    """The function of each method and path."""
    return {
        (event["Properties"]["Method"], event["Properties"]["Path"]): function
        for function, logical_id in FUNCTIONS.items()
        for event in properties(logical_id).get("Events", {}).values()
        if event["Type"] == "HttpApi"
    }


def test_the_api_has_these_routes_and_no_others() -> None:
    assert routes() == {
        ("GET", "/"): "app_page",
        ("GET", "/v1/health"): "health",
        ("GET", "/v1/customers/{customer}/points"): "get_points",
        ("OPTIONS", "/v1/customers/{customer}/points"): "get_points",
        ("GET", "/v1/customers/{customer}/points/history"): "points_history",
        ("OPTIONS", "/v1/customers/{customer}/points/history"): "points_history",
        ("GET", "/v1/customers/{customer}/orders/{order_id}/points"): "order_points",
        ("OPTIONS", "/v1/customers/{customer}/orders/{order_id}/points"): "order_points",
        ("POST", "/v1/customers/{customer}/holds"): "create_hold",
        ("OPTIONS", "/v1/customers/{customer}/holds"): "create_hold",
        ("DELETE", "/v1/customers/{customer}/holds/{hold_id}"): "release_hold",
        ("OPTIONS", "/v1/customers/{customer}/holds/{hold_id}"): "release_hold",
        ("POST", "/v1/customers/{customer}/holds/{hold_id}/release"): "release_hold",
        ("OPTIONS", "/v1/customers/{customer}/holds/{hold_id}/release"): "release_hold",
        ("GET", "/v1/staff/me"): "staff_me",
        ("OPTIONS", "/v1/staff/me"): "staff_me",
        **{
            (method, f"/v1/staff/{what}"): function
            for method in ("GET", "OPTIONS")
            for what, function in {
                "customers/{customer}": "staff_show_account",
                "customers/{customer}/history": "staff_account_history",
                "orders/{order_id}": "staff_explain_order",
                "books": "staff_books",
                "programme": "staff_programme",
                "status": "staff_status",
            }.items()
        },
        ("POST", "/v1/staff/programme/preview"): "staff_programme",
        ("OPTIONS", "/v1/staff/programme/preview"): "staff_programme",
        **{
            (method, f"/v1/staff/customers/{{customer}}/{what}"): function
            for method in ("POST", "OPTIONS")
            for what, function in {
                "adjustments": "staff_adjust_points",
                "holds": "staff_create_hold",
                "holds/{hold_id}/release": "staff_release_hold",
            }.items()
        },
        ("POST", "/v1/webhooks/shopify"): "shopify_webhook",
        ("POST", "/v1/flow/lifecycle"): "flow_lifecycle",
        ("GET", "/v1/operator/customers/{customer}"): "show_account",
        ("GET", "/v1/operator/customers/{customer}/history"): "account_history",
        ("GET", "/v1/operator/customers/{customer}/check"): "check_customer",
        ("GET", "/v1/operator/orders/{order_id}"): "explain_order",
        ("POST", "/v1/operator/customers/{customer}/adjustments"): "adjust_points",
        ("POST", "/v1/operator/customers/{customer}/extensions"): "extend_points",
        ("POST", "/v1/operator/imports/{import_id}"): "import_points",
        ("POST", "/v1/operator/imports/{import_id}/runs"): "import_runs",
        ("GET", "/v1/operator/imports/{import_id}"): "import_runs",
        ("GET", "/v1/operator/till"): "till_status",
    }


def test_the_gateway_limits_every_route_and_writes_and_webhooks_by_limits_of_their_own() -> None:
    api = properties("PointsApi")
    limits = {"default": api["DefaultRouteSettings"], **api["RouteSettings"]}
    writes = {
        "POST /v1/customers/{customer}/holds",
        "DELETE /v1/customers/{customer}/holds/{hold_id}",
        "POST /v1/customers/{customer}/holds/{hold_id}/release",
        "POST /v1/staff/customers/{customer}/adjustments",
        "POST /v1/staff/customers/{customer}/holds",
        "POST /v1/staff/customers/{customer}/holds/{hold_id}/release",
        "POST /v1/operator/customers/{customer}/adjustments",
        "POST /v1/operator/imports/{import_id}",
        "POST /v1/operator/imports/{import_id}/runs",
    }
    assert {route: limit["ThrottlingRateLimit"]["Ref"] for route, limit in limits.items()} == {
        "default": "ApiRequestsPerSecond",
        **dict.fromkeys(writes, "WriteRequestsPerSecond"),
        "POST /v1/webhooks/shopify": "WebhookRequestsPerSecond",
    }
    assert all(one["ThrottlingBurstLimit"] == one["ThrottlingRateLimit"] for one in limits.values())


def test_the_gateways_limits_are_those_of_routes_that_exist(resources: dict[str, Any]) -> None:
    """AWS refuses others, at the end of a deployment."""
    paths = resources["PointsApi"]["Properties"]["Body"]["paths"]
    routes = {f"{method.upper()} {path}" for path, ways in paths.items() for method in ways}
    (stage,) = [one for one in resources.values() if one["Type"] == "AWS::ApiGatewayV2::Stage"]
    assert stage["Properties"]["RouteSettings"].keys() <= routes
    assert "ThrottlingRateLimit" in stage["Properties"]["DefaultRouteSettings"]


def test_concurrency_is_reserved_for_flow_and_webhooks_only_where_a_parameter_says_so() -> None:
    reserved = {
        function: config
        for function in FUNCTIONS
        if (config := function_property(function, "ReservedConcurrentExecutions"))
    }
    flow = {"Fn::If": ["FlowHasConcurrency", {"Ref": "FlowConcurrency"}, NO_VALUE]}
    webhook = {"Fn::If": ["WebhookHasConcurrency", {"Ref": "WebhookConcurrency"}, NO_VALUE]}
    assert reserved == {
        "flow_action_consume": flow,
        "flow_action_grant": flow,
        "flow_action_report": flow,
        "shopify_webhook": webhook,
    }
    for name in ("FlowConcurrency", "WebhookConcurrency"):
        assert TEMPLATE["Parameters"][name]["Default"] == 0
        condition = TEMPLATE["Conditions"][name.replace("Concurrency", "HasConcurrency")]
        assert condition == {"Fn::Not": [{"Fn::Equals": [{"Ref": name}, "0"]}]}


def test_api_gateway_authorizes_operators_by_iam_only(
    resources: dict[str, Any],
) -> None:
    body = resources["PointsApi"]["Properties"]["Body"]
    authorizers = {
        path: one.get("security") for path, ways in body["paths"].items() for one in ways.values()
    }
    for path, security in authorizers.items():
        assert security == ([{"AWS_IAM": []}] if path.startswith("/v1/operator/") else None), path
    scheme = body["components"]["securitySchemes"]["AWS_IAM"]
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4"


UPLOADS: dict[str, list[Any]] = {
    "OperatorPolicy": ["s3:ListBucket", ["s3:GetObject", "s3:PutObject"]],
    "OperatorReadPolicy": [],
}
"""What operators may do with the bucket of imports, and what with no other."""


def test_the_operator_policy_allows_the_operators_routes_and_the_imports_bucket_only() -> None:
    """And what `pointbook` needs: who writes may feed lost orders and compare the till."""
    methods = {"OperatorPolicy": "POST", "OperatorReadPolicy": "GET"}
    looks_up = {
        "Effect": "Allow",
        "Action": [
            "cloudformation:DescribeStacks",
            "cloudformation:DescribeStackResource",
            "cloudformation:ListStackResources",
        ],
        "Resource": {"Ref": "AWS::StackId"},
    }
    reads_settings = {
        "Effect": "Allow",
        "Action": "lambda:GetFunctionConfiguration",
        "Resource": {"Fn::GetAtt": ["GetPointsFunction", "Arn"]},
    }
    invokes = {
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": [
            {"Fn::GetAtt": [function, "Arn"]}
            for function in ("ReconcileOrdersFunction", "CompareTillFunction")
        ],
    }
    policies = of_type("AWS::IAM::ManagedPolicy")
    assert policies.keys() == methods.keys()
    for name, policy in policies.items():
        statement, *others = policy["PolicyDocument"]["Statement"]
        writes = name == "OperatorPolicy"
        expected = [looks_up, reads_settings, *([invokes] if writes else [])]
        assert others[: len(expected)] == expected
        uploads = others[len(expected) :]
        assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
        assert [one["Action"] for one in uploads] == UPLOADS[name]
        assert all("ImportsBucket" in str(one["Resource"]) for one in uploads)
        resource = statement["Resource"]["Fn::Sub"]
        assert resource.endswith(f":${{PointsApi}}/$default/{methods[name]}/v1/operator/*")
        assert "Roles" not in policy, "whose it is, the merchant says"


def test_only_flow_actions_have_function_urls() -> None:
    """Without IAM: Shopify cannot sign for AWS, so the function verifies Shopify's signature."""
    configs = {name: function_property(name, "FunctionUrlConfig") for name in FUNCTIONS}
    urls = {name: config for name, config in configs.items() if config}
    actions = ("consume", "grant", "report")
    assert urls == {f"flow_action_{action}": {"AuthType": "NONE"} for action in actions}


def test_only_function_urls_are_open_to_every_principal(resources: dict[str, Any]) -> None:
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
    urls = [function for function in FUNCTIONS if function_property(function, "FunctionUrlConfig")]
    assert len(permissions) == len(routes()) + 2 * len(urls)


def test_the_functions_own_cors_headers_reach_the_browser() -> None:
    """With a CORS configuration API Gateway drops them, and can only treat all origins alike."""
    assert "CorsConfiguration" not in properties("PointsApi")


def test_every_route_that_a_page_calls_has_a_preflight_answered_by_the_same_function() -> None:
    """The same one, so that the preflight starts the function that the page calls next."""
    found = routes()
    called = {
        path: function
        for (method, path), function in found.items()
        if method != "OPTIONS" and path.startswith(CALLED_BY_PAGES)
    }
    preflights = {path: name for (method, path), name in found.items() if method == "OPTIONS"}
    assert called
    assert preflights.keys() == called.keys()
    for path, function in preflights.items():
        same_path = {name for (_, other), name in found.items() if other == path}
        assert function in same_path


def test_an_own_domain_of_the_api_is_optional_and_leads_to_the_same_api(
    resources: dict[str, Any],
) -> None:
    conditions = {name: one["Condition"] for name, one in resources.items() if "Condition" in one}
    assert conditions == {
        "OperatorSubscription": "OperatorHasEmail",
        "PointsDomain": "HasDomain",
        "PointsDomainMapping": "HasDomain",
        "PointsDomainRecord": "RecordsDomain",
        "TillBreakerAlarm": "HasTill",
        **dict.fromkeys(("BackupPlan", "BackupSelection", "BackupRole"), "HasBackupCopy"),
    }
    mapping = resources["PointsDomainMapping"]["Properties"]
    assert mapping["ApiId"] == {"Ref": "PointsApi"}
    assert mapping["DomainName"] == {"Ref": "PointsDomain"}
    stage = resources[mapping["Stage"]["Ref"]]
    assert (stage["Type"], stage["Properties"]["StageName"]) == (
        "AWS::ApiGatewayV2::Stage",
        "$default",
    )
    (own,) = resources["PointsDomain"]["Properties"]["DomainNameConfigurations"]
    assert own["SecurityPolicy"] == "TLS_1_2"
    assert TEMPLATE["Outputs"]["ApiUrl"]["Value"]["Fn::If"][0] == "HasDomain"
    assert [TEMPLATE["Parameters"][name]["Default"] for name in OF_THE_DOMAIN] == ["", "", ""]


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("DomainName", "", True),
        ("DomainName", "points.example.com", True),
        ("DomainName", "points.example.co.jp", True),
        ("DomainName", "https://points.example.com", False),
        ("DomainName", "points.example.com/", False),
        ("DomainName", "Points.example.com", False),
        ("DomainName", "points", False),
        ("CertificateArn", "", True),
        ("CertificateArn", "arn:aws:acm:ap-northeast-1:123456789012:certificate/1-a", True),
        ("CertificateArn", "arn:aws:iam::123456789012:server-certificate/a", False),
        ("HostedZoneId", "Z0123456789ABCDEFGHIJ", True),
        ("HostedZoneId", "example.com", False),
    ],
)
def test_the_parameters_of_the_domain_are_checked_before_anything_is_deployed(
    name: str, value: str, *, accepted: bool
) -> None:
    pattern = TEMPLATE["Parameters"][name]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, value)) is accepted


def test_a_domain_without_a_certificate_is_refused_before_anything_is_deployed() -> None:
    rule = TEMPLATE["Rules"]["DomainHasCertificate"]
    given = {"Fn::Not": [{"Fn::Equals": [{"Ref": "DomainName"}, ""]}]}
    needed = {"Fn::Not": [{"Fn::Equals": [{"Ref": "CertificateArn"}, ""]}]}
    assert rule["RuleCondition"] == given
    assert [one["Assert"] for one in rule["Assertions"]] == [needed]


# --- outputs --------------------------------------------------------------------------------------


def test_the_outputs_have_the_url_of_every_function_that_has_one() -> None:
    urls = {
        name: output["Value"]["Fn::GetAtt"][0]
        for name, output in TEMPLATE["Outputs"].items()
        if output["Value"].get("Fn::GetAtt", [""])[-1] == "FunctionUrl"
    }
    assert urls == {
        f"{logical_id.removesuffix('Function')}Url": f"{logical_id}Url"
        for function, logical_id in FUNCTIONS.items()
        if function_property(function, "FunctionUrlConfig")
    }


def test_the_tools_find_every_queue_and_its_dead_letters_in_the_outputs() -> None:
    outputs = {name: output["Value"].get("Ref") for name, output in TEMPLATE["Outputs"].items()}
    for queue, name in (QUEUES | IMPORT_QUEUE).items():
        found = redrive.queue_urls(outputs, queue)
        assert found == (f"{name}Queue", f"{name}DeadLetterQueue")


def test_the_outputs_name_every_resource_that_operators_use() -> None:
    said = [json.dumps(output["Value"]) for output in TEMPLATE["Outputs"].values()]
    looked_into = (
        "AWS::DynamoDB::Table",
        "AWS::SecretsManager::Secret",
        "AWS::S3::Bucket",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
        "AWS::Serverless::HttpApi",
    )
    names = [name for kind in looked_into for name in of_type(kind)]
    assert names
    assert [name for name in names if f'"{name}"' not in " ".join(said)] == []


# --- secrets and the laptop -----------------------------------------------------------------------


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_secret_is_in_the_environment(function: str) -> None:
    names = variables(function, overrides("prod") | RESOLVED)
    secrets = [name for name in names if re.search("SECRET|TOKEN|PASSWORD|KEY|HMAC", name)]
    assert secrets == ["SECRETS_NAME", "TOKEN_KEY_ID"]
    assert names["SECRETS_NAME"] == RESOLVED["AppSecret"], "its name, not what is in it"
    assert names["TOKEN_KEY_ID"] == RESOLVED["TokenKeyAlias"], "its name as well"
    assert [name for name in names if name.startswith("LOCAL_")] == []


def test_no_secret_is_in_the_template_or_its_parameters() -> None:
    parameters = [name for name in TEMPLATE["Parameters"] if re.search("(?i)secret|token", name)]
    assert parameters == []
    for file in ("template.yaml", "samconfig.toml"):
        text = (ROOT / file).read_text(encoding="utf-8")
        assert [secret for secret in SECRETS.values() if secret in text] == []


def test_cloudformation_gets_no_anchors() -> None:
    """It takes no YAML aliases; `sam build` expands them."""
    built = (BUILD / "template.yaml").read_text(encoding="utf-8")
    events = list(yaml.parse(built))
    assert [one for one in events if isinstance(one, yaml.AliasEvent)] == []
    assert "<<" not in built


# --- environments ---------------------------------------------------------------------------------


def test_every_environment_is_complete() -> None:
    assert set(CONFIG) - {"version"} == set(ENVIRONMENTS)
    for environment in ENVIRONMENTS:
        assert set(CONFIG[environment]) == {"global", "build", "validate", "deploy"}
        assert CONFIG[environment]["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"
        assert CONFIG[environment]["deploy"]["parameters"]["resolve_s3"] is True
    names = [CONFIG[one]["global"]["parameters"]["stack_name"] for one in ENVIRONMENTS]
    assert names == [f"pointbook-{environment}" for environment in ENVIRONMENTS]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_has_an_allowed_value_for_every_parameter(environment: str) -> None:
    given = overrides(environment)
    declared = TEMPLATE["Parameters"]
    assert given.keys() <= declared.keys()
    for name, parameter in declared.items():
        assert name in given or "Default" in parameter, f"{name} is nowhere given"
        value = str(given.get(name, parameter.get("Default")))
        allowed = [str(one) for one in parameter.get("AllowedValues", [value])]
        assert value in allowed, name
        if not (name == "OperatorEmail" and value.startswith("your-")):  # to be filled in first
            assert re.fullmatch(parameter.get("AllowedPattern", ".*"), value), name


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_tags_are_the_stacks_and_name_project_and_stage(environment: str) -> None:
    """CloudFormation hands them on to every resource that can have tags."""
    tags = CONFIG[environment]["deploy"]["parameters"]["tags"].split()
    assert tags == ["project=pointbook", f"stage={overrides(environment)['Stage']}"]
    tagged = [name for name, one in RESOURCES.items() if "Tags" in one.get("Properties", {})]
    assert tagged == []
    assert "Tags" not in TEMPLATE["Globals"]["Function"]


def test_an_environment_deploys_the_stage_of_its_name() -> None:
    stages = {environment: overrides(environment)["Stage"] for environment in ENVIRONMENTS}
    assert stages == {"default": "dev", "dev": "dev", "staging": "staging", "prod": "prod"}


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_staging_and_prod_have_deletion_protection_and_confirm_changes(environment: str) -> None:
    assert overrides(environment)["DeletionProtection"] == "on"
    assert CONFIG[environment]["deploy"]["parameters"]["confirm_changeset"] is True
    assert int(overrides(environment)["LogRetentionDays"]) >= 30


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_start_with_the_variables_of_an_environment(
    environment: str, function: str
) -> None:
    given = variables(function, overrides(environment) | RESOLVED)
    settings = Settings.from_env(given)
    assert settings.stage == overrides(environment)["Stage"]
    assert settings.local_clock_file is None
    assert settings.default_programme().version == 1
    assert [name for name in given if name.startswith("AWS_")] == [], "no emulator's endpoint"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize(
    "name", ["LOCAL_CLOCK_FILE", "LOCAL_SECRETS", "LOCAL_SHOPIFY_URL", "LOCAL_TILL_URL"]
)
def test_deployed_functions_refuse_the_laptops_variables(environment: str, name: str) -> None:
    given = variables("health", overrides(environment) | RESOLVED)
    with pytest.raises(SettingsError, match=name):
        Settings.from_env(given | {name: "anything"})


# --- sam local ------------------------------------------------------------------------------------


GIVEN = json.loads((ROOT / "local" / "env.json").read_text(encoding="utf-8"))["Parameters"]
"""The variables of `--env-vars local/env.json`."""


def test_sam_local_finds_the_demo_shop_of_the_running_stack() -> None:
    assert GIVEN["SHOP_DOMAIN"] == demo.SHOP_DOMAIN
    assert GIVEN["SHOPIFY_CLIENT_ID"] == demo.SHOPIFY_CLIENT_ID
    assert GIVEN["TABLE_NAME"] == deployment.TABLE_NAME
    assert GIVEN["SECRETS_NAME"] == deployment.SECRETS_NAME
    assert GIVEN["TOKEN_KEY_ID"] == f"alias/{deployment.STACK_NAME}-tokens"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_starts_with_the_variables_of_sam_local(function: str) -> None:
    declared = variables(function, overrides("default") | RESOLVED)
    assert Settings.from_env(declared | GIVEN).stage is Stage.LOCAL


def test_the_template_declares_every_variable_of_sam_local() -> None:
    assert GIVEN.keys() <= TEMPLATE["Globals"]["Function"]["Environment"]["Variables"].keys()
