"""The exceptions that Pointbook raises.

```
PointbookError
├── SettingsError                the stack is misconfigured; names the variable and what to do
├── Refused                      the caller's fault, permanent: a retry does not help
│   ├── MalformedBody            malformed_body
│   ├── BodyTooLarge             body_too_large
│   ├── MessageTooLarge          message_too_large
│   ├── MethodNotAllowed         method_not_allowed
│   ├── InvalidRequest           invalid_request, idempotency_key_missing; names the field
│   ├── UnknownShop              unknown_shop
│   ├── ImportNotFound           import_not_found
│   ├── TopicMismatch            topic_mismatch
│   ├── SignatureMissing         signature_missing
│   ├── SignatureWrong           signature_wrong
│   ├── Unauthenticated          token_missing, token_invalid, token_expired
│   ├── NotYours                 not_yours
│   ├── NotPermitted             not_permitted
│   ├── NotAnOperator            operator_missing
│   └── OriginRefused            origin_not_allowed
├── MessageDeclined              message_declined; the ledger refuses a queue message
├── ProgrammeMoved               programme_moved: the programme was changed in the meantime
├── TagsUnknown                  tags_unknown; what an order earns is not known yet
├── ShopifyRefused               shopify_refused, code_taken_by_another, currency_mismatch
├── StoreRefused                 DynamoDB rejects a request: a misconfiguration, or a bug
└── Unavailable                  temporary: retry after `retry_after_seconds`
    ├── LedgerUnavailable        ledger_unavailable
    ├── ShopifyUnavailable       shopify_unavailable
    ├── HoldFailed               hold_failed
    ├── HoldReleasing            hold_releasing
    └── RateLimited              rate_limited
```

`code` is stable, and callers may depend on it. The text is for people and may change.
What the ledger refuses (not enough points, a hold is open) is a value, `domain.refusal.Refusal`.
"""

from typing import Literal

type TokenCode = Literal["token_missing", "token_invalid", "token_expired"]

_TOKEN_TEXTS: dict[TokenCode, str] = {
    "token_missing": "Please log in.",
    "token_invalid": "This session is not valid. Please log in again.",
    "token_expired": "This session has expired. Please log in again.",
}


class PointbookError(Exception):
    """The base of all exceptions that Pointbook raises; `text` is the default of the message."""

    code: str = "internal_error"
    text: str = ""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.text)


class SettingsError(PointbookError):
    """The environment or the secret is wrong: `variable` is its name, the text says what to do."""

    code = "settings_wrong"

    def __init__(self, variable: str, advice: str) -> None:
        super().__init__(f"{variable}: {advice}")
        self.variable = variable


class StoreRefused(PointbookError):
    """DynamoDB rejects a request: no such table, no permission, or a bug of ours."""

    def __init__(self, aws_code: str, message: str) -> None:
        super().__init__(f"DynamoDB answers {aws_code}: {message}")
        self.aws_code = aws_code


class ProgrammeMoved(PointbookError):
    """The version in force is not the one that the change was based on."""

    code = "programme_moved"

    def __init__(self, seen: int, found: int) -> None:
        super().__init__(
            f"The programme was changed in the meantime: version {found} is in force, not {seen}. "
            "Review it and make your change again."
        )


class ShopifyRefused(PointbookError):
    """Shopify refuses a call to its Admin API; a retry does not help.

    `reasons` are the codes of its user errors or errors, or its HTTP status ("http_403"). The call
    had no effect; if `certain` is False, an earlier attempt whose answer was lost may have had one.
    """

    code = "shopify_refused"

    def __init__(
        self, message: str, reasons: tuple[str, ...] = (), code: str = "shopify_refused"
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reasons = reasons
        self.certain = True


class Refused(PointbookError):
    """The request cannot be carried out as it is, now or later."""

    code = "refused"


class MalformedBody(Refused):
    """The body is malformed: not UTF-8, not JSON, or with a duplicate member."""

    code = "malformed_body"


class BodyTooLarge(Refused):
    """The body is larger than this function accepts."""

    code = "body_too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The body is larger than {limit_bytes} bytes.")


class MessageTooLarge(Refused):
    """The projected fields of a webhook are larger than a queue message may be, even packed."""

    code = "message_too_large"

    def __init__(self, message_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"The fields of this webhook have {message_bytes} bytes; the limit is {limit_bytes}."
        )


class MessageDeclined(PointbookError):
    """The ledger refuses what a queue message would do; a person has to look."""

    code = "message_declined"

    def __init__(self, refusal_code: str, message: str) -> None:
        super().__init__(f"{refusal_code}: {message}")


class TagsUnknown(PointbookError):
    """A customer's tags, on which an order's points depend, could not be read: retry later.

    Points are never granted by a guess. The text says what to do if this persists.
    """

    code = "tags_unknown"


class MethodNotAllowed(Refused):
    """The function accepts one method only, `allowed`."""

    code = "method_not_allowed"

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"{method or 'No method'} is not allowed here; use {allowed}.")
        self.allowed = allowed


class InvalidRequest(Refused):
    """A field of the request is missing or has an invalid value."""

    code = "invalid_request"

    def __init__(self, field: str, message: str, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.message = message


class UnknownShop(Refused):
    """The request is authentic, but of a shop that this stack does not serve."""

    code = "unknown_shop"


class ImportNotFound(Refused):
    """Nothing is kept of the import that an operator asks about."""

    code = "import_not_found"

    def __init__(self, import_id: str) -> None:
        super().__init__(f"Nothing is kept of an import {import_id}; files are kept for 30 days.")


class TopicMismatch(Refused):
    """The signed body of a webhook does not match the topic in its header."""

    code = "topic_mismatch"

    def __init__(self, topic: str, reason: str) -> None:
        super().__init__(f"The body does not match the topic {topic}: {reason}.")
        self.topic = topic
        self.reason = reason


class SignatureMissing(Refused):
    """The request has no signature of Shopify's."""

    code = "signature_missing"
    text = "The request is not signed."


class SignatureWrong(Refused):
    """The signature does not match these bytes and our secret."""

    code = "signature_wrong"
    text = "The signature does not match this request."


class Unauthenticated(Refused):
    """The caller is not authenticated. The text says no more than `code`, to help no forger."""

    def __init__(self, code: TokenCode) -> None:
        super().__init__(_TOKEN_TEXTS[code])
        self.code = code


class NotYours(Refused):
    """The request is for another customer than the authenticated one."""

    code = "not_yours"
    text = "You can see and use your own points only."


class NotPermitted(Refused):
    """The shop's programme does not let this member of its staff do that."""

    code = "not_permitted"

    def __init__(self, rule: str) -> None:
        super().__init__(
            f"You may not do this here. The shop's programme says who may, in its rule {rule}."
        )
        self.rule = rule


class NotAnOperator(Refused):
    """The caller is not authenticated by IAM."""

    code = "operator_missing"
    text = "Sign this request with AWS Signature Version 4, as an operator."


class OriginRefused(Refused):
    """A write with a cookie came from a page that is not on the allow list."""

    code = "origin_not_allowed"
    text = "This page may not use points with a cookie."


class Unavailable(PointbookError):
    """A dependency cannot be reached; the caller may retry after a while."""

    def __init__(self, retry_after_seconds: int = 5, *, code: str = "", message: str = "") -> None:
        super().__init__(message)
        self.code = code or self.code
        self.retry_after_seconds = retry_after_seconds


class LedgerUnavailable(Unavailable):
    """The table could not be read or written before the request's deadline."""

    code = "ledger_unavailable"
    text = "The points cannot be reached right now. Please try again."


class ShopifyUnavailable(Unavailable):
    """Shopify's Admin API did not answer in time; whether the call had an effect is unknown."""

    code = "shopify_unavailable"
    text = "The shop cannot be reached right now. Please try again."


_SETTING_RETRY_SECONDS = 3600


class HoldFailed(Unavailable):
    """Shopify did not create the discount of a hold, so nothing is held."""

    code = "hold_failed"
    text = "The points could not be used just now; nothing was taken. Please try again."

    def __init__(self, *, may_be_retried: bool = True) -> None:
        """`may_be_retried`: False if Shopify refuses it, because of the shop's settings."""
        if may_be_retried:
            super().__init__()
        else:
            super().__init__(
                _SETTING_RETRY_SECONDS,
                message="The shop's settings do not let points be used; nothing was taken. Trying"
                " again does not help; please contact the shop.",
            )
        self.may_be_retried = may_be_retried


class HoldReleasing(Unavailable):
    """Shopify could not deactivate a hold's discount: both end when the hold expires."""

    code = "hold_releasing"
    text = "The points are being released. They are back when the hold ends, at the latest."


class RateLimited(Unavailable):
    """My page has called Shopify too often within a minute; nothing was done."""

    code = "rate_limited"
    text = "Too many requests in a short time; nothing was changed. Please try again later."
