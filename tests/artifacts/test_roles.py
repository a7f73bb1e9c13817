"""A function's role allows what the function does, and nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient

from local import demo
from pointbook import wiring
from pointbook.domain.chain import Cause
from pointbook.domain.commands import TakeHold
from pointbook.instruction import Booked, Instruction
from pointbook.store import dynamodb
from tests.artifacts.built import FUNCTIONS
from tests.artifacts.cloud import SECRET, TABLE
from tests.artifacts.roles import Aws, Right, rights
from tests.engines.table import table_request
from tests.functions.harness import EVENTS, SECRETS, Functions

CUSTOMER = "8840734670934"
OTHER_CUSTOMER = "8840734670935"
GRANT = "flow_action_grant"
CONSUME = "flow_action_consume"

LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
"""Write to CloudWatch Logs: that is all AWS's own policy allows."""

DEAD_LETTERS: Right = ("sqs:SendMessage", "DeadLetterQueue")


class Shop:
    """The functions in process, with botocore's own clients, and every call to AWS noted."""

    def __init__(self, patch: pytest.MonkeyPatch, clock: Path) -> None:
        self.functions = Functions(
            patch,
            TABLE_NAME=TABLE,
            SECRETS_NAME=SECRET,
            LOCAL_SECRETS="",  # so that they ask Secrets Manager
            LOCAL_CLOCK_FILE=str(clock),
        )
        self.functions.table.create_table(**table_request(TABLE))
        self.aws = Aws(self.functions.table, json.dumps(SECRETS))
        self._clock = clock
        self._patch = patch
        self.move(0)
        patch.setattr(wiring, "connect", dynamodb.connect)
        patch.setattr(BaseClient, "_make_api_call", answered_by(self.aws))

    def forget_what_is_kept(self) -> None:
        """As a function that has just started: no programme and no secret are known."""
        self._patch.setattr(wiring, "_memory", {})

    def move(self, seconds: int) -> None:
        """Move the ledger's clock."""
        self._clock.write_text(json.dumps({"offset_seconds": seconds}), encoding="utf-8")

    def hold_some(self) -> None:
        """Hold 100 points for 600 seconds."""
        instruction = Instruction(
            shop=demo.SHOP_DOMAIN,
            customer_id=CUSTOMER,
            command=TakeHold(100, "hold-1", 600),
            cause=Cause("test"),
            code="PTS-1",
        )
        assert isinstance(wiring.ledger("Asia/Tokyo").execute(instruction), Booked)

    def merge(self) -> None:
        """Make the customer another one: the book becomes a tombstone."""
        merged = wiring.ledger("Asia/Tokyo").merge(
            demo.SHOP_DOMAIN, CUSTOMER, OTHER_CUSTOMER, Cause("test")
        )
        assert isinstance(merged, Booked)


def answered_by(aws: Aws) -> Callable[[Any, str, dict[str, Any]], Any]:
    """A method of botocore's clients through which all their calls go."""

    def call(client: Any, operation: str, request: dict[str, Any]) -> Any:
        return aws.call(client.meta.service_model.service_name, operation, request)

    return call


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shop:
    """A shop whose programme nobody has asked for yet."""
    return Shop(monkeypatch, tmp_path / "clock.json")


def allowed(resources: dict[str, Any], function: str) -> set[Right]:
    """What the function itself is allowed; failed events are Lambda's, in the same role."""
    role = resources[f"{FUNCTIONS[function]}Role"]["Properties"]
    found = rights(role.get("Policies", []))
    if function in ("hold_release", "expiry"):
        assert DEAD_LETTERS in found
    return found - {DEAD_LETTERS}


def needed(shop: Shop, act: Callable[[], object]) -> set[Right]:
    """What AWS is asked for while something is done."""
    shop.aws.needed.clear()
    act()
    return set(shop.aws.needed)


def every_sample(shop: Shop, function: str) -> None:
    """Call the function with each of its sample events, twice; all are answered."""
    for path in sorted((EVENTS / function).glob("*.json")):
        for _ in range(2):
            assert shop.functions.sample(function, path.stem).status < 500


@pytest.mark.parametrize("function", [GRANT, CONSUME])
def test_a_flow_action_is_allowed_what_it_does(
    shop: Shop, resources: dict[str, Any], function: str
) -> None:
    """On a shop without programme; refused, carried out, repeated; on a book that was merged."""
    found = needed(shop, lambda: every_sample(shop, function))
    shop.functions.sample(GRANT, "run")
    found |= needed(shop, lambda: every_sample(shop, function))
    shop.merge()
    shop.forget_what_is_kept()
    found |= needed(shop, lambda: every_sample(shop, function))
    assert found == allowed(resources, function)


@pytest.mark.parametrize("function", ["get_points", "points_history"])
def test_what_only_shows_is_allowed_to_read_what_it_shows(
    shop: Shop, resources: dict[str, Any], function: str
) -> None:
    def look() -> None:
        shop.forget_what_is_kept()
        every_sample(shop, function)

    before = needed(shop, look)
    shop.functions.sample(GRANT, "run")
    shop.functions.sample(CONSUME, "run")
    shop.hold_some()
    while_held = needed(shop, look)
    shop.merge()
    found = before | while_held | needed(shop, look)
    assert found == allowed(resources, function)
    assert "dynamodb:PutItem" not in {action for action, _ in found}


def test_health_needs_no_rights(shop: Shop, resources: dict[str, Any]) -> None:
    assert needed(shop, lambda: every_sample(shop, "health")) == set()
    assert allowed(resources, "health") == set()


@pytest.mark.parametrize(("function", "seconds"), [("hold_release", 600), ("expiry", 400 * 86_400)])
def test_a_sweep_is_allowed_to_find_and_settle_what_is_due(
    shop: Shop, resources: dict[str, Any], function: str, seconds: int
) -> None:
    """Also what has been settled or merged meanwhile: the index shows it a little longer."""
    shop.functions.sample(GRANT, "run")
    shop.hold_some()
    shop.move(seconds)
    shop.aws.let_indexes_lag()

    def sweep() -> dict[str, Any]:
        return shop.functions.invoke(function, {})

    found = needed(shop, lambda: check(sweep(), settles=True))
    found |= needed(shop, lambda: check(sweep(), settles=False))
    shop.merge()
    found |= needed(shop, lambda: check(sweep(), settles=False))
    assert found == allowed(resources, function)


def check(swept: dict[str, Any], *, settles: bool) -> None:
    """One account was looked at without a fault, and had something due or not."""
    assert (swept["accounts"], swept["failed"]) == (1, 0)
    assert (swept["entries"] > 0) is settles


def test_roles_allow_logs_by_aws_own_policy_and_nothing_by_a_wildcard(
    resources: dict[str, Any],
) -> None:
    roles = {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::IAM::Role"
    }
    assert len(roles) == len(FUNCTIONS) + 2, "one for each function and each schedule"
    for name, role in roles.items():
        assert "*" not in json.dumps(role.get("Policies", [])), name
    for function in FUNCTIONS.values():
        assert roles[f"{function}Role"]["ManagedPolicyArns"] == [LOGS]


def test_a_schedule_may_start_its_own_function_and_leave_a_dead_letter(
    resources: dict[str, Any],
) -> None:
    for function, event in (("HoldRelease", "EveryMinute"), ("Expiry", "EveryQuarterHour")):
        role = resources[f"{function}Function{event}Role"]["Properties"]
        invoke = ("lambda:InvokeFunction", f"{function}Function")
        assert rights(role["Policies"]) == {invoke, DEAD_LETTERS}


def test_the_secret_and_the_table_are_given_to_nobody_else(resources: dict[str, Any]) -> None:
    policies = [name for name, one in resources.items() if "Policy" in one["Type"]]
    assert policies == []
