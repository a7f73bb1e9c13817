"""Shopify's Admin API of one shop: sends a document and returns the result of its root field.

A response is checked in this order: HTTP status, top-level errors, data, user errors
(https://shopify.dev/docs/api/admin-graphql, "Status and error codes").
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from pointbook.deadline import Deadline
from pointbook.domain.ports import Clock
from pointbook.errors import MalformedBody, ShopifyRefused
from pointbook.http.calls import Answer, Call, HttpClient
from pointbook.shopify.attempts import Failed, Throttled, with_retries
from pointbook.shopify.documents import API_VERSION, Document
from pointbook.validation import json_object

WORKERS = 4
"""A function makes one call at a time; the others may be busy with calls that timed out."""

CONNECT_SECONDS = 1.0

_WAIT_DEFAULT_SECONDS = 1.0
_SECONDS = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?", re.ASCII)

_FAULTS = frozenset({"INTERNAL_SERVER_ERROR", "INTERNAL_ERROR", "TIMEOUT"})
"""Codes of Shopify's own failures: the call may have had an effect all the same."""

_REFUSALS = frozenset(
    {"ACCESS_DENIED", "BAD_REQUEST", "INVALID_VARIABLE", "MAX_COST_EXCEEDED", "SHOP_INACTIVE"}
)
"""Codes of calls without any effect, even if the response has `data`."""

_ADVICE: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "a new token is refused too; is the app still installed?",
    HTTPStatus.PAYMENT_REQUIRED: "the shop is frozen until its owner has paid Shopify",
    HTTPStatus.FORBIDDEN: "the app may not do this; give it the scopes of shopify/shopify.app.toml",
    HTTPStatus.NOT_FOUND: "the shop does not exist; check SHOP_DOMAIN",
    HTTPStatus.LOCKED: "the shop is locked; its owner has to ask Shopify",
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call cost, and the shop's bucket after it (docs/api/usage/limits), all in points."""

    points: float
    available: float
    maximum: float
    restored_per_second: float


class Access(Protocol):
    """Gives the access tokens of one shop."""

    def token(self, deadline: Deadline, refused: str = "") -> str:
        """Return a valid token other than `refused`."""
        ...


class AdminApi:
    """The Admin API of one shop. Safe to use from several threads."""

    def __init__(self, base_url: str, access: Access, calls: HttpClient, clock: Clock) -> None:
        """`base_url` is the part before `/admin`; `clock` is for deadlines and waits."""
        self._url = f"{base_url}/admin/api/{API_VERSION}/graphql.json"
        self._access = access
        self._calls = calls
        self._clock = clock

    def deadline(self, seconds: float) -> Deadline:
        """Return the deadline so many seconds from now."""
        return Deadline.after(seconds, self._clock.monotonic)

    def run(
        self,
        document: Document,
        variables: Mapping[str, Any],
        deadline: Deadline,
        *,
        repeatable: bool = True,
        on_cost: Callable[[Cost], None] | None = None,
    ) -> Any:
        """Return the result of the document's root field, None for null.

        A failed call is retried only if it is `repeatable`: a second call must do no harm.
        `on_cost` gets the cost of every answer that names it. Raises ShopifyRefused, and
        ShopifyUnavailable by the deadline at the latest.
        """
        content = json.dumps({"query": document.text, "variables": variables}).encode("ascii")

        def attempt() -> Any:
            body = ok_body(self._answer(content, deadline))
            cost = _cost(body)
            if on_cost is not None and cost is not None:
                on_cost(cost)
            return _payload(document.root, body)

        return with_retries(attempt, deadline, self._clock, repeatable=repeatable)

    def _answer(self, content: bytes, deadline: Deadline) -> Answer:
        """Return the answer; a refused token is replaced once."""
        token = self._access.token(deadline)
        answer = self._post(content, token, deadline)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            token = self._access.token(deadline, refused=token)
            answer = self._post(content, token, deadline)
        return answer

    def _post(self, content: bytes, token: str, deadline: Deadline) -> Answer:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-Shopify-Access-Token": token,
        }
        return self._calls.send(Call("POST", self._url, headers, content=content), deadline)


def ok_body(answer: Answer) -> dict[str, Any]:
    """Return the JSON object of a 200; raise the error of any other status."""
    status = answer.status
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Throttled(_retry_after_seconds(answer))
    if status >= 500 or status == HTTPStatus.REQUEST_TIMEOUT:
        raise Failed(f"Shopify answers {status}")
    if status != HTTPStatus.OK:
        advice = _ADVICE.get(status, "it does not accept this call")
        raise ShopifyRefused(f"Shopify answers {status}: {advice}.", (f"http_{status}",))
    try:
        return json_object(answer.body)
    except MalformedBody as error:
        raise Failed("Shopify's answer is not a JSON object") from error


def _payload(root: str, body: Mapping[str, Any]) -> Any:
    _raise_errors(body)
    data = body.get("data")
    if not isinstance(data, dict) or root not in data:
        raise Failed(f"Shopify's answer has no {root}")
    payload = data[root]
    if isinstance(payload, dict):
        _raise_user_errors(root, payload.get("userErrors") or [])
    return payload


def _raise_errors(body: Mapping[str, Any]) -> None:
    errors = body.get("errors")
    if not errors:
        return
    codes = _codes(errors)
    if "THROTTLED" in codes:
        raise Throttled(_throttled_seconds(body))
    text = f"Shopify answers with errors: {_messages(errors)}"
    only_refusals = bool(codes) and set(codes) <= _REFUSALS
    # Without `data` the document was not executed, unless Shopify itself failed.
    not_executed = "data" not in body and not _FAULTS & set(codes)
    if only_refusals or not_executed:
        raise ShopifyRefused(text, codes)
    raise Failed(text)


def _raise_user_errors(root: str, errors: list[Mapping[str, Any]]) -> None:
    if not errors:
        return
    codes = tuple(str(error.get("code") or "UNKNOWN") for error in errors)
    text = f"Shopify refuses {root}: {_messages(errors)}"
    if _FAULTS & set(codes):
        raise Failed(text)
    raise ShopifyRefused(text, codes)


def _codes(errors: Any) -> tuple[str, ...]:
    """Return the codes in `extensions`, if any."""
    listed = errors if isinstance(errors, list) else []
    extensions = [error.get("extensions") for error in listed if isinstance(error, dict)]
    return tuple(
        str(one["code"]) for one in extensions if isinstance(one, dict) and one.get("code")
    )


def _messages(errors: Any) -> str:
    listed = errors if isinstance(errors, list) else [errors]
    texts = [str(one.get("message") if isinstance(one, dict) else one) for one in listed]
    return "; ".join(texts)[:500]


def _throttled_seconds(body: Mapping[str, Any]) -> float:
    """Return the time until the bucket has enough for the call."""
    cost = _cost(body)
    if cost is None:
        return _WAIT_DEFAULT_SECONDS
    return max(0.0, (cost.points - cost.available) / cost.restored_per_second)


def _cost(body: Mapping[str, Any]) -> Cost | None:
    """Return the cost in an answer; None if it does not name it."""
    try:
        cost = body["extensions"]["cost"]
        status = cost["throttleStatus"]
        names = ("currentlyAvailable", "maximumAvailable", "restoreRate")
        found = Cost(float(cost["requestedQueryCost"]), *(float(status[name]) for name in names))
    except (LookupError, TypeError, ValueError):
        return None
    return found if found.restored_per_second > 0 else None


def _retry_after_seconds(answer: Answer) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if _SECONDS.fullmatch(text) else _WAIT_DEFAULT_SECONDS
