"""Shopify's Admin API of one shop: sends a document, and returns what its root field answered.

An answer is read in this order: HTTP status, top-level errors, data, user errors
(https://shopify.dev/docs/api/admin-graphql, "Status and error codes").
"""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Protocol

from pointbook.deadline import Deadline
from pointbook.domain.ports import Clock
from pointbook.errors import MalformedBody, ShopifyRefused
from pointbook.http.calls import Answer, Call, Sends
from pointbook.shopify.attempts import Busy, Failed, with_retries
from pointbook.shopify.documents import API_VERSION, Document
from pointbook.validation import json_object

WORKERS = 4
"""A function asks one thing at a time; the rest is room for calls that were given up."""

CONNECT_SECONDS = 1.0

_WAIT_UNSAID_SECONDS = 1.0
_SECONDS = re.compile(r"[0-9]{1,5}(\.[0-9]{1,3})?", re.ASCII)

_FAULTS = frozenset({"INTERNAL_SERVER_ERROR", "INTERNAL_ERROR", "TIMEOUT"})
"""Codes of Shopify's own faults: what was asked may have been done all the same."""

_REFUSALS = frozenset(
    {"ACCESS_DENIED", "BAD_REQUEST", "INVALID_VARIABLE", "MAX_COST_EXCEEDED", "SHOP_INACTIVE"}
)
"""Codes with which nothing was done, even where `data` stands beside them."""

_ADVICE: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "a new token is refused too; is the app still installed?",
    HTTPStatus.PAYMENT_REQUIRED: "the shop is frozen until its owner has paid Shopify",
    HTTPStatus.FORBIDDEN: "the app may not do this; give it the scopes of shopify/shopify.app.toml",
    HTTPStatus.NOT_FOUND: "there is no such shop; check SHOP_DOMAIN",
    HTTPStatus.LOCKED: "the shop is locked; its owner has to ask Shopify",
}


class Access(Protocol):
    """Gives the access tokens of one shop."""

    def token(self, deadline: Deadline, refused: str = "") -> str:
        """A token that is valid, another one than `refused`."""
        ...


class AdminApi:
    """The Admin API of one shop. Safe to use from several threads."""

    def __init__(self, base_url: str, access: Access, calls: Sends, clock: Clock) -> None:
        """`base_url` is what stands before `/admin`; `clock` measures the waits."""
        self._url = f"{base_url}/admin/api/{API_VERSION}/graphql.json"
        self._access = access
        self._calls = calls
        self._clock = clock

    def deadline(self, seconds: float) -> Deadline:
        """The moment so many seconds from now."""
        return Deadline.after(seconds, self._clock.monotonic)

    def run(
        self,
        document: Document,
        variables: Mapping[str, Any],
        deadline: Deadline,
        *,
        repeatable: bool = True,
    ) -> Any:
        """Return what the document's root field answered, None where it answered null.

        A call that has failed is sent again only if it is `repeatable`: a second time must do no
        harm. Raises ShopifyRefused, and ShopifyUnavailable by the deadline at the latest.
        """
        content = json.dumps({"query": document.text, "variables": variables}).encode("ascii")

        def attempt() -> Any:
            return _payload(document.root, self._answer(content, deadline))

        return with_retries(attempt, deadline, self._clock, repeatable=repeatable)

    def _answer(self, content: bytes, deadline: Deadline) -> Answer:
        """The answer; a token that is refused is replaced once."""
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
    """The JSON object of a 200; any other status is raised as what it means."""
    status = answer.status
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Busy(_retry_after_seconds(answer))
    if status >= 500 or status == HTTPStatus.REQUEST_TIMEOUT:
        raise Failed(f"Shopify answers {status}")
    if status != HTTPStatus.OK:
        advice = _ADVICE.get(status, "it does not take this call")
        raise ShopifyRefused(f"Shopify answers {status}: {advice}.", (f"http_{status}",))
    try:
        return json_object(answer.body)
    except MalformedBody as error:
        raise Failed("Shopify answers something that is no JSON object") from error


def _payload(root: str, answer: Answer) -> Any:
    body = ok_body(answer)
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
        raise Busy(_throttled_seconds(body))
    text = f"Shopify answers with errors: {_messages(errors)}"
    known_refusals = bool(codes) and set(codes) <= _REFUSALS
    # Without `data` the document was not even begun, unless Shopify itself failed.
    never_begun = "data" not in body and not _FAULTS & set(codes)
    if known_refusals or never_begun:
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
    """The codes in `extensions`, where there are any."""
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
    """Until the bucket holds what the call asks for."""
    try:
        cost = body["extensions"]["cost"]
        status = cost["throttleStatus"]
        missing = cost["requestedQueryCost"] - status["currentlyAvailable"]
        return max(0.0, float(missing / status["restoreRate"]))
    except (LookupError, TypeError, ValueError, ZeroDivisionError):
        return _WAIT_UNSAID_SECONDS


def _retry_after_seconds(answer: Answer) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if _SECONDS.fullmatch(text) else _WAIT_UNSAID_SECONDS
