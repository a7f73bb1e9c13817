import hashlib
import json
from typing import Any

import pytest

from local import demo
from pointbook.domain.expiry import Days, Months, RoundTo
from pointbook.domain.programme import default_programme
from pointbook.domain.programme_rules import RULES, Master
from pointbook.errors import SettingsError
from pointbook.settings import PUBLISHED_SECRETS_SHA256, Secrets, Settings, Stage

ENVIRONMENT = {
    "STAGE": "prod",
    "TABLE_NAME": "ledger",
    "SHOP_DOMAIN": "demo.myshopify.com",
    "SHOPIFY_CLIENT_ID": "client-id",
    "SECRETS_NAME": "pointbook/prod",
}
GOOD_SECRET = "0123456789abcdef0123456789abcdef"
DEPLOYED = [Stage.DEV, Stage.STAGING, Stage.PROD]


def settings(**changes: str) -> Settings:
    return Settings.from_env(ENVIRONMENT | changes)


def wrong_variable(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_env(environment).default_programme()
    assert str(refusal.value).startswith(f"{refusal.value.variable}: ")
    return refusal.value.variable


def test_the_least_environment_gives_a_programme_and_the_shops_own_pages() -> None:
    assert settings() == Settings(
        stage=Stage.PROD,
        table_name="ledger",
        shops=("demo.myshopify.com",),
        shopify_client_id="client-id",
        secrets_name="pointbook/prod",
        login_url="https://demo.myshopify.com/account/login",
        allowed_origins=frozenset({"https://demo.myshopify.com"}),
        till_provider="none",
    )


def test_everything_can_be_said() -> None:
    given = settings(
        SHOP_DOMAIN="main.myshopify.com, second-1.myshopify.com",
        LOGIN_URL="https://www.example.com/login",
        ALLOWED_ORIGINS="https://www.example.com, https://my.example.com:8443",
        TILL_PROVIDER="smaregi",
        CUSTOMER_REQUESTS_PER_MINUTE="30",
        PROGRAMME_TIME_ZONE="Europe/Berlin",
        PROGRAMME_CURRENCY="EUR",
        PROGRAMME_POINT_WORTH_MINOR="10",
        PROGRAMME_EXPIRY="days:30",
        PROGRAMME_HOLD_SECONDS="5",
        PROGRAMME_POINTS_MASTER="till",
    )
    assert given.shops == ("main.myshopify.com", "second-1.myshopify.com")
    assert given.login_url == "https://www.example.com/login"
    assert given.allowed_origins == {
        "https://www.example.com",
        "https://my.example.com:8443",
        "https://main.myshopify.com",
        "https://second-1.myshopify.com",
    }
    assert (given.till_provider, given.customer_requests_per_minute) == ("smaregi", 30)
    assert given.default_programme() == default_programme(
        time_zone="Europe/Berlin",
        currency="EUR",
        point_worth_minor="10",
        expiry="days:30",
        hold_seconds="5",
        points_master="till",
    )
    assert (given.default_programme().expiry, given.default_programme().points_master) == (
        Days(30),
        Master.TILL,
    )


def test_a_shop_starts_with_a_point_for_a_hundred_yen_that_lasts_a_year() -> None:
    programme = settings().default_programme()
    assert (programme.time_zone, programme.currency) == ("Asia/Tokyo", "JPY")
    assert (programme.points_per_unit, programme.earn_unit_minor) == (1, 100)
    assert programme.expiry == Months(12, RoundTo.MONTH_END)
    assert programme.sign_up_points == 0, "nothing is given away that nobody has asked for"


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_of_the_programme_has_a_variable(rule: str) -> None:
    assert wrong_variable(ENVIRONMENT | {f"PROGRAMME_{rule.upper()}": "?,"}).endswith(rule.upper())


def test_a_variable_of_no_rule_is_named() -> None:
    assert wrong_variable(ENVIRONMENT | {"PROGRAMME_EXPIRES": "never"}) == "PROGRAMME_EXPIRES"


@pytest.mark.parametrize("name", ENVIRONMENT)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_variable_that_is_missing_is_named(name: str, value: str | None) -> None:
    environment = {key: held for key, held in ENVIRONMENT.items() if key != name}
    if value is not None:
        environment[name] = value
    assert wrong_variable(environment) == name


WRONG = {
    "STAGE": ["production", "LOCAL"],
    "SHOP_DOMAIN": [
        *("demo", "Demo.myshopify.com", "https://demo.myshopify.com", "demo.myshopify.com,"),
        *("demo.myshopify.com.evil.example", "-demo.myshopify.com"),
    ],
    "LOGIN_URL": ["http://www.example.com", "javascript:alert(1)"],
    "ALLOWED_ORIGINS": [
        *("*", "null", "http://www.example.com", "https://www.example.com/"),
        "https://*.example.com",
    ],
    "CUSTOMER_REQUESTS_PER_MINUTE": ["0", "many"],
    "TILL_FRESH_SECONDS": ["0", "soon"],
    "TILL_PROBE_SECONDS": ["-1"],
    "TILL_CALLS_PER_SECOND": ["0.5"],
    "LOCAL_CLOCK_FILE": ["clock.json"],
    "LOCAL_SHOPIFY_URL": ["http://127.0.0.1:1"],
    "LOCAL_TILL_URL": ["http://127.0.0.1:1"],
    "LOCAL_SECRETS": ["{}"],
    "LOCAL_ANYTHING_NEW": ["1"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_variable_that_is_wrong_is_named(name: str, value: str) -> None:
    assert wrong_variable(ENVIRONMENT | {name: value}) == name


@pytest.mark.parametrize("stage", DEPLOYED)
def test_nothing_of_the_laptop_exists_in_a_deployed_stage(stage: Stage) -> None:
    for name in ("LOCAL_CLOCK_FILE", "LOCAL_SHOPIFY_URL", "LOCAL_TILL_URL", "LOCAL_SECRETS"):
        assert wrong_variable(ENVIRONMENT | {"STAGE": stage, name: "x"}) == name
        given = settings(STAGE=stage, **{name: ""})
        assert getattr(given, name.lower()) is None


def test_the_laptop_replaces_clock_addresses_and_secret() -> None:
    given = settings(
        STAGE="local",
        LOCAL_CLOCK_FILE="clock.json",
        LOCAL_SHOPIFY_URL="http://127.0.0.1:8090",
        LOCAL_TILL_URL="http://127.0.0.1:8091",
        LOCAL_SECRETS='{"client_secret":"x"}',
        LOGIN_URL="http://127.0.0.1:8080/login",
        ALLOWED_ORIGINS="http://127.0.0.1:8080",
    )
    assert given.local_clock_file == "clock.json"
    assert given.local_shopify_url == "http://127.0.0.1:8090"
    assert given.local_till_url == "http://127.0.0.1:8091"
    assert given.local_secrets == '{"client_secret":"x"}'
    assert given.login_url == "http://127.0.0.1:8080/login"
    assert "http://127.0.0.1:8080" in given.allowed_origins
    assert "client_secret" not in repr(given)


# --- secrets ------------------------------------------------------------------------------------


SIGNING = ["client_secret", "client_secret_previous", "my_page_secret", "my_page_secret_previous"]


def secrets(stage: Stage = Stage.PROD, **members: Any) -> Secrets:
    return Secrets.from_json(json.dumps({"client_secret": GOOD_SECRET} | members), stage)


def test_the_secret_holds_all_that_signs_and_the_tills_credentials() -> None:
    held = secrets(
        client_secret_previous=GOOD_SECRET[::-1],
        my_page_secret=GOOD_SECRET * 2,
        my_page_secret_previous=GOOD_SECRET * 3,
        till={"contract_id": "sb_1"},
        a_member_of_tomorrow=1,
    )
    assert held.client_secret == GOOD_SECRET
    assert held.client_secret_previous == GOOD_SECRET[::-1]
    assert held.my_page_secret == GOOD_SECRET * 2
    assert held.my_page_secret_previous == GOOD_SECRET * 3
    assert held.till == {"contract_id": "sb_1"}


@pytest.mark.parametrize("empty", ["", None])
def test_what_is_empty_is_not_there(empty: str | None) -> None:
    held = secrets(client_secret_previous=empty, my_page_secret=empty, till=empty)
    assert held == Secrets(GOOD_SECRET, "", "", {})


def test_a_secret_is_never_shown() -> None:
    assert GOOD_SECRET not in repr(secrets(my_page_secret=GOOD_SECRET, till={"key": GOOD_SECRET}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shpss_0123456789abcdef0123456789abcdef",
        "[]",
        '{"client_secret":"a","client_secret":"b"}',
        "\ud800",
    ],
)
def test_a_secret_that_is_no_object_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(SettingsError, match="SECRETS_NAME: the secret must hold") as refusal:
        Secrets.from_json(text, Stage.PROD)
    assert "shpss" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_secret", ""),
        ("client_secret", None),
        ("client_secret", "hunter2"),
        ("client_secret", GOOD_SECRET[1:]),
        ("client_secret", 12345),
        ("client_secret_previous", "hunter2"),
        ("my_page_secret", "hunter2"),
        ("my_page_secret", ["hunter2"]),
        ("till", "hunter2"),
        ("till", {"client_secret": 5}),
    ],
)
def test_a_secret_that_signs_nothing_safely_is_named_and_not_quoted(name: str, value: Any) -> None:
    with pytest.raises(SettingsError) as refusal:
        secrets(**{name: value})
    assert refusal.value.variable == f"SECRETS_NAME ({name})"
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("name", SIGNING)
@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (" " * 32, "without white space around it"),
        (" ", "without white space around it"),
        (GOOD_SECRET + "\n", "without white space around it"),
        ("\u3000" + GOOD_SECRET, "without white space around it"),
        ("x" * 32, "at least 8 different characters"),
        ("changem" * 5, "at least 8 different characters"),
    ],
)
def test_a_secret_that_nobody_drew_is_refused_with_what_to_do(
    stage: Stage, name: str, value: str, advice: str
) -> None:
    with pytest.raises(SettingsError, match=advice) as refusal:
        secrets(stage, **{name: value})
    assert refusal.value.variable == f"SECRETS_NAME ({name})"


def test_eight_different_characters_are_enough() -> None:
    assert secrets(client_secret="01234567" * 4).client_secret == "01234567" * 4


PUBLISHED = [demo.CLIENT_SECRET, demo.CLIENT_SECRET_PREVIOUS, demo.MY_PAGE_SECRET]


@pytest.mark.parametrize("published", PUBLISHED)
@pytest.mark.parametrize("name", SIGNING)
@pytest.mark.parametrize("stage", DEPLOYED)
def test_the_secrets_that_everyone_can_read_are_refused_where_it_matters(
    stage: Stage, name: str, published: str
) -> None:
    with pytest.raises(SettingsError, match="published"):
        secrets(stage, **{name: published})
    assert getattr(secrets(Stage.LOCAL, **{name: published}), name) == published


def test_the_list_of_published_secrets_has_no_other_members() -> None:
    digests = {hashlib.sha256(secret.encode()).hexdigest() for secret in PUBLISHED}
    assert digests == PUBLISHED_SECRETS_SHA256


def test_the_tokens_key_is_required_when_needed() -> None:
    assert settings(TOKEN_KEY_ID="alias/tokens").token_key() == "alias/tokens"
    with pytest.raises(SettingsError) as refusal:
        settings().token_key()
    assert refusal.value.variable == "TOKEN_KEY_ID"


def test_without_a_my_page_secret_there_are_no_codes_for_holds() -> None:
    """An empty key would be everybody's: the codes could be computed."""
    with pytest.raises(SettingsError) as refusal:
        Secrets(client_secret=GOOD_SECRET).hold_code_key()
    assert refusal.value.variable == "SECRETS_NAME (my_page_secret)"


def test_the_codes_of_holds_outlive_a_rotation_of_shopifys_secret() -> None:
    before = Secrets(client_secret="one", my_page_secret=GOOD_SECRET)
    after = Secrets("two", "one", GOOD_SECRET)
    assert before.hold_code_key() == after.hold_code_key()


def test_queues_have_the_addresses_that_are_given_and_the_missing_one_is_named() -> None:
    found = settings(ORDER_EVENTS_QUEUE_URL="https://sqs/orders", PRIVACY_EVENTS_QUEUE_URL=" ")
    assert found.queue_url("order_events") == "https://sqs/orders"
    for queue in ("customer_events", "privacy_events"):
        with pytest.raises(SettingsError) as refusal:
            found.queue_url(queue)
        assert refusal.value.variable == f"{queue.upper()}_QUEUE_URL"
