"""Send a stack what its clients send, and say which requests are answered wrongly.

    pointbook smoke --env prod
    pointbook smoke --customer 8840734670934 --env prod

For the minute after a deployment. Requests without a login or with a wrong signature have to be
refused, and an operator's has to be answered. With --customer, a test customer of yours, 1 point
is added, once though it is sent twice, and removed again. Exit status 1 if an answer is wrong.
"""

import json as json_
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError

from cli import checks, operator_api, target
from cli.errors import CommandFailed, NotReachable
from cli.operator_api import Answer
from cli.options import Env, Json, Shop, customer_of
from cli.output import Output
from cli.target import Target

_REASON = "Test after a deployment"
_PROBLEM_LENGTH_MAX = 100

_API: Sequence[tuple[str, str, str, int, str]] = (
    ("the API answers", "GET", "/v1/health", 200, ""),
    ("my page without a login", "GET", "/v1/customers/me/points", 401, "token_missing"),
    ("staff without a login", "GET", "/v1/staff/me", 401, "token_missing"),
    ("a webhook without a signature", "POST", "/v1/webhooks/shopify", 401, "signature_missing"),
    ("an operator without a signature", "GET", "/v1/operator/till", 403, ""),
)
"""What, method, path, and the status and code of the right answer."""


@dataclass(frozen=True, slots=True)
class _Result:
    """What was sent, how it was answered, and whether that is right."""

    what: str
    answer: str
    right: bool


def run(
    customer: Annotated[
        str | None, typer.Option(help="The id of a test customer, whose points are moved.")
    ] = None,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed, NotReachable."""
    customer_id = customer_of(customer, "--customer") if customer is not None else None
    stack, out = target.target_of(env), Output(as_json=json)
    shop = stack.shop(shop)
    results = [*_refusals(stack), _operator(stack)]
    if customer_id is not None:
        results += _points(stack, shop, customer_id)
    rows = [("ok" if one.right else "WRONG", one.what, one.answer) for one in results]
    out.say(stack.name)
    out.table(("", "sent", "answer"), rows)
    wrong = sum(not one.right for one in results)
    what_to_do = "Read the function's log; `pointbook doctor` looks at the parts."
    out.say("", f"{wrong} wrong. {what_to_do}" if wrong else "All answers are right.")
    shown = [{"what": one.what, "answer": one.answer, "right": one.right} for one in results]
    out.document({"stack": stack.name, "wrong": wrong, "requests": shown})
    return int(wrong > 0)


def _refusals(stack: Target) -> Iterator[_Result]:
    """Requests of somebody whom the stack does not know."""
    for what, method, path, status, code in _API:
        yield _sent(what, method, f"{stack.api_url}{path}", status, code)
    for name, url in sorted(stack.function_urls.items()):
        yield _sent(f"{name} without a signature", "POST", url, 400, "signature_missing")


def _sent(what: str, method: str, url: str, status: int, code: str) -> _Result:
    """Send a request without any proof. Raises NotReachable."""
    try:
        answered, text = checks.send(method, url, "{}" if method == "POST" else "")
    except BotoCoreError as error:
        raise NotReachable(f"{url} does not answer: {error}") from error
    found = _code(text)
    return _Result(what, f"{answered} {found}".strip(), (answered, found) == (status, code))


def _code(text: str) -> str:
    """The code of a problem; "" where there is none, and what cannot be read as it is."""
    try:
        document: Any = json_.loads(text)
    except ValueError:
        return text[:_PROBLEM_LENGTH_MAX]
    return str(document.get("code", "")) if isinstance(document, dict) else ""


def _operator(stack: Target) -> _Result:
    """A signed read of these credentials."""
    answer = operator_api.get(stack, "/v1/operator/till")
    return _result("an operator's read, signed", answer, 200)


def _points(stack: Target, shop: str, customer_id: str) -> Iterator[_Result]:
    """Add a point, twice under one key, and remove it. Raises CommandFailed."""
    path = f"/v1/operator/customers/{customer_id}/adjustments"
    key = f"smoke-{uuid.uuid4()}"

    def moved(points: int, key: str) -> Answer | None:
        content = {"shop": shop, "points": points, "reason": _REASON}
        return operator_api.post(stack, path, content, {"Idempotency-Key": key})

    added = moved(1, key)
    yield _result("add 1 point", added, 201)
    if added is None or added.status != 201:
        return
    again = moved(1, key)
    repeated = again is not None and again.repeated and again.body == added.body
    yield _result("the same again: the same answer", again, 201, holds=repeated)
    removed = moved(-1, f"{key}-back")
    if removed is None or removed.status != 201:
        raise CommandFailed(
            f"1 point was added to {customer_id} and could not be removed again:"
            f" pointbook adjust {customer_id} --points -1 --reason {_REASON!r}"
        )
    before = added.body["figures"]["approved"] - 1
    yield _result("remove it", removed, 201, holds=removed.body["figures"]["approved"] == before)


def _result(what: str, answer: Answer | None, status: int, *, holds: bool = True) -> _Result:
    if answer is None:
        return _Result(what, "no answer", right=False)
    if answer.status != status:
        return _Result(what, answer.why, right=False)
    return _Result(what, str(status), right=holds)
