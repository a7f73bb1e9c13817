"""The functions in process, with every call to AWS noted, and a Shopify that answers at once."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local import demo, signing
from pointbook.aws import bucket, kms, queues, secrets, topics
from pointbook.domain.chain import Cause
from pointbook.domain.commands import PlaceHold
from pointbook.http.calls import Answer, Call
from pointbook.http.transport import Transport
from pointbook.import_container import ImportContainer
from pointbook.ledger.instruction import Booked, Instruction
from pointbook.services.bulk_imports.csv_file import COLUMNS
from pointbook.store import table
from tests.artifacts.cloud import SECRET, TABLE, TOKEN_KEY
from tests.artifacts.roles import Aws, Right
from tests.support import harness
from tests.support.harness import EVENTS, SECRETS, Functions, event
from tests.support.table import table_request
from tools.make_events_operator import RUN_ID
from tools.make_events_stream import records

CUSTOMER = "8840734670934"
OTHER_CUSTOMER = "8840734670935"
GOOD = {
    "create_hold": "by_header",
    "release_hold": "by_header",
    "staff_create_hold": "sale",
    "staff_release_hold": "given_up",
}
"""A sample event of each of these functions that is served."""


def flow_event(
    function: str, properties: Mapping[str, Any], secret: str = demo.CLIENT_SECRET
) -> dict[str, Any]:
    """An action's event with other properties, and so another run."""
    payload = event(function, "run")
    handle = json.loads(payload["body"])["handle"]
    body = signing.flow_request(
        handle, {"customer_id": CUSTOMER, "reason": "test", **properties}, f"run {properties}"
    )
    headers = payload["headers"] | {"x-shopify-hmac-sha256": signing.flow_signature(body, secret)}
    return payload | {"body": body.decode(), "headers": headers}


class EveryCode(set[str]):
    """The codes of a shop that has every code."""

    def __contains__(self, code: object) -> bool:
        return True


class Shopify:
    """Shopify's Admin API: makes every code and takes every trigger, unless it is `closed`."""

    def __init__(self) -> None:
        self.closed = False
        self.refuses_metafields = False
        self.codes: set[str] = set()
        self.calls: list[str] = []

    def send(self, call: Call) -> Answer:
        """The answer to one call."""
        self.calls.append(call.url)
        if self.closed:
            return Answer(403, {}, b"{}")
        body = json.loads(call.content or b"{}")
        if call.url.endswith("/access_token"):
            return _answer({"access_token": "shpat_1", "expires_in": 86_399})
        root, variables = next(one for one in _ROOTS if one in body["query"]), body["variables"]
        payload = self._payload(root, variables)
        return _answer({"data": {root.rstrip("("): payload}})

    def _payload(self, root: str, variables: dict[str, Any]) -> dict[str, Any] | None:
        if root == _CREATE:
            self.codes.add(variables["discount"]["code"])
            return {"codeDiscountNode": _NODE, "userErrors": []}
        if root == _FIND:
            return _NODE if variables["code"] in self.codes else None
        if root == _CUSTOMER:
            return {"id": variables["id"], "tags": ["gold"]}
        if root in _METAFIELDS and self.refuses_metafields:
            return {"userErrors": [{"message": "Owner does not exist.", "code": "INVALID"}]}
        return {"userErrors": []}


_CREATE, _FIND = "discountCodeBasicCreate", "codeDiscountNodeByCode"
_CUSTOMER = "customer("
_METAFIELDS = ("metafieldsSet(", "metafieldsDelete(")
_ROOTS = (
    *(_CREATE, _FIND, _CUSTOMER, "discountCodeDeactivate", "flowTriggerReceive"),
    *_METAFIELDS,
)
_NODE = {
    "id": "gid://shopify/DiscountCodeNode/1",
    "codeDiscount": {
        "status": "ACTIVE",
        "customerGets": {"value": {"amount": {"amount": "500", "currencyCode": "JPY"}}},
    },
}


def _answer(body: dict[str, Any]) -> Answer:
    return Answer(200, {}, json.dumps(body).encode())


class Shop:
    """The functions in process, with botocore's own clients, and every call to AWS noted."""

    def __init__(self, patch: pytest.MonkeyPatch, clock: Path, **variables: str) -> None:
        self.functions = Functions(
            None,
            TABLE_NAME=TABLE,
            SECRETS_NAME=SECRET,
            TOKEN_KEY_ID=TOKEN_KEY,
            LOCAL_SECRETS="",  # so that they ask Secrets Manager
            OPERATOR_TOPIC_ARN="OperatorTopic",
            LOCAL_CLOCK_FILE=str(clock),
            **variables,
        )
        self.functions.table.create_table(**table_request(TABLE))
        self.aws = Aws(self.functions.table, json.dumps(SECRETS))
        self.shopify = Shopify()
        self._clock = clock
        self.move(0)
        patch.setattr(Transport, "send", lambda _, call, __: self.shopify.send(call))
        self.start_anew()

    def needed(self, act: Callable[[], object]) -> set[Right]:
        """The rights that calls to AWS need while something is done."""
        self.aws.needed.clear()
        act()
        return set(self.aws.needed)

    def start_anew(self) -> None:
        """As functions that have just started: no programme, secret or token is known."""
        settings = self.functions.container.settings
        cipher = kms.KmsCipher(answered_by(self.aws, kms.connect()), settings.token_key())
        topic = answered_by(self.aws, topics.connect())
        self.functions.container = ImportContainer(
            settings,
            dynamodb=answered_by(self.aws, table.connect()),
            s3=answered_by(self.aws, bucket.connect()),
            sqs=answered_by(self.aws, queues.connect()),
            secrets_manager=answered_by(self.aws, secrets.connect()),
            cipher=cipher,
            operator=topics.OperatorTopic(topic, settings.operator_topic),
        )

    def rotate(self, **members: str) -> None:
        """Change members of the secret; functions have noticed."""
        self.aws.secret = json.dumps(SECRETS | members)
        self.start_anew()

    def lose_token(self) -> None:
        """As before the first call of Shopify: the table keeps no access token either."""
        self.start_anew()
        key = {"pk": {"S": f"SHOP#{demo.SHOP_DOMAIN}"}, "sk": {"S": "ACCESS_TOKEN"}}
        self.functions.table.delete_item(TableName=TABLE, Key=key)

    def move(self, seconds: int) -> None:
        """Move the ledger's clock."""
        self._clock.write_text(json.dumps({"offset_seconds": seconds}), encoding="utf-8")

    def every_sample(self, function: str) -> None:
        """Call a function with each of its sample events, twice; all are answered."""
        for path in sorted((EVENTS / function).glob("*.json")):
            for _ in range(2):
                assert self.functions.sample(function, path.stem).status < 500

    def work_on_samples(self, function: str) -> None:
        """Hand each sample event, twice, to a function that answers nobody."""
        for path in sorted((EVENTS / function).glob("*.json")):
            for _ in range(2):
                self.functions.invoke(function, event(function, path.stem), seconds=60)

    def upload(self, *rows: str) -> None:
        """Upload a file for the sample events of imports."""
        key = f"imports/{demo.SHOP_DOMAIN}/2026-11-move/{RUN_ID}/file.csv"
        content = "\n".join([",".join(COLUMNS), *rows]) + "\n"
        self.aws.files[key] = content.encode()
        self.functions.sample("import_runs", "start")

    def undo(self) -> None:
        """Undo the import: plan, and carry the one part out."""
        run_id = RUN_ID.replace("T09", "T10")
        for case, part in (("plan", None), ("rows", 1)):
            payload = event("import_rows", case)
            (record,) = payload["Records"]
            members = json.loads(record["body"])
            members["payload"] |= {"kind": "undo", "run_id": run_id, "part": part}
            record["body"] = json.dumps(members)
            failed = self.functions.invoke("import_rows", payload, seconds=60)
            assert failed == {"batchItemFailures": []}

    def grant(self) -> None:
        """Give the customer 1,250 points, once."""
        assert self.functions.sample("flow_action_grant", "run").status == 200

    def write_metafields(self) -> None:
        """Write the metafields of the customers, as the stream and the schedule have it done."""
        items = self.functions.table.items(TABLE).items()
        accounts = [item for (_, sk), item in items if sk == "ACCOUNT" and "erased" not in item]
        self.functions.invoke("publish_changes", records(*accounts))
        self.functions.invoke("write_metafields", event("write_metafields", "schedule"), 58)

    def request_hold(
        self, key: str, points: int = 500, function: str = "create_hold"
    ) -> harness.Answer:
        """Request a discount code, as my page or the staff does."""
        request = event(function, GOOD[function])
        request["headers"]["idempotency-key"] = key
        request["body"] = json.dumps({"points": points})
        return self.functions.request(function, request)

    def release(self, hold_id: str, function: str = "release_hold") -> harness.Answer:
        """Release a hold, as my page or the staff does."""
        request = event(function, GOOD[function])
        request["pathParameters"]["hold_id"] = hold_id
        return self.functions.request(function, request)

    def hold_some(self) -> None:
        """Hold 100 points for 600 seconds."""
        instruction = Instruction(
            shop=demo.SHOP_DOMAIN,
            customer_id=CUSTOMER,
            command=PlaceHold(100, "hold-1", 600),
            cause=Cause("test"),
        )
        assert isinstance(self.functions.ledger.execute(instruction), Booked)

    def merge(self) -> None:
        """Merge the customer into another: the account becomes a tombstone."""
        merged = self.functions.ledger.merge(
            demo.SHOP_DOMAIN, CUSTOMER, OTHER_CUSTOMER, Cause("test")
        )
        assert isinstance(merged, Booked)
        self._forget_requests()

    def merge_only(self) -> None:
        """Merge the customer into another; requests are still known."""
        merged = self.functions.ledger.merge(
            demo.SHOP_DOMAIN, CUSTOMER, OTHER_CUSTOMER, Cause("test")
        )
        assert isinstance(merged, Booked)

    def _forget_requests(self) -> None:
        """As if no request had come before, so that the samples are carried out once more."""
        for pk, sk in self.functions.table.items(TABLE):
            if sk.startswith("REQUEST#"):
                key = {"pk": {"S": pk}, "sk": {"S": sk}}
                self.functions.table.delete_item(TableName=TABLE, Key=key)


def answered_by(aws: Aws, client: Any) -> Any:
    """Botocore's own client; `aws` answers its requests once botocore has checked them."""
    service = client.meta.service_model.service_name

    def note(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["request"] = dict(params)

    def answer(model: Any, context: dict[str, Any], **_: Any) -> tuple[Any, Any]:
        return SimpleNamespace(status_code=200), aws.call(service, model.name, context["request"])

    client.meta.events.register_first("provide-client-params", note)
    client.meta.events.register("before-call", answer)
    return client
