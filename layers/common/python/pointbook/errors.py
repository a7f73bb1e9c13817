"""Every error that Pointbook raises on purpose.

```
PointbookError
├── SettingsError                the stack is set up wrongly; names the variable and what to do
├── Refused                      the caller's fault, permanent: asking again changes nothing
│   ├── MalformedBody            malformed_body
│   ├── BodyTooLarge             body_too_large
│   ├── MessageTooLarge          message_too_large
│   ├── MethodNotAllowed         method_not_allowed
│   ├── InvalidRequest           invalid_request, idempotency_key_missing; names the field
│   ├── UnknownShop              unknown_shop
│   ├── TopicMismatch            topic_mismatch
│   ├── SignatureMissing         signature_missing
│   ├── SignatureWrong           signature_wrong
│   ├── Unauthenticated          token_missing, token_invalid, token_expired
│   ├── NotYours                 not_yours
│   ├── NotAnOperator            operator_missing
│   └── OriginRefused            origin_not_allowed
├── MessageDeclined              message_declined; a queue's message that the ledger declines
├── ProgrammeMoved               programme_moved: somebody else changed the programme meanwhile
├── TagsUnknown                  tags_unknown; what an order earns cannot be said yet
├── ShopifyRefused               shopify_refused, code_taken_by_another, currency_mismatch
├── StoreRefused                 the table refuses our requests: set up wrongly, or a fault of ours
└── Unavailable                  not now: worth asking again after `retry_after_seconds`
    ├── LedgerUnavailable        ledger_unavailable
    ├── ShopifyUnavailable       shopify_unavailable
    ├── HoldFailed               hold_failed
    ├── HoldReleasing            hold_releasing
    └── RateLimited              rate_limited
```

`code` is stable and is what callers may decide on. The text is for people and may change.
What the ledger declines (not enough points, a hold is open) is a value, `domain.refusal.Refusal`.
"""

from typing import Literal

type TokenCode = Literal["token_missing", "token_invalid", "token_expired"]

_TOKEN_TEXTS: dict[TokenCode, str] = {
    "token_missing": "Please log in.",
    "token_invalid": "This session is not valid. Please log in again.",
    "token_expired": "This session has ended. Please log in again.",
}


class PointbookError(Exception):
    """Anything that Pointbook raises on purpose."""

    code: str = "internal_error"


class SettingsError(PointbookError):
    """The environment or the secret is wrong: `variable` says where, the text what to do."""

    code = "settings_wrong"

    def __init__(self, variable: str, advice: str) -> None:
        super().__init__(f"{variable}: {advice}")
        self.variable = variable


class StoreRefused(PointbookError):
    """DynamoDB refuses a request as such: no such table, no right, or a fault of ours."""

    def __init__(self, aws_code: str, message: str) -> None:
        super().__init__(f"DynamoDB answers {aws_code}: {message}")
        self.aws_code = aws_code


class ProgrammeMoved(PointbookError):
    """Another version of the programme is in force than whoever changes it has seen."""

    code = "programme_moved"

    def __init__(self, seen: int, found: int) -> None:
        super().__init__(
            f"The programme was changed meanwhile: version {found} is in force, not {seen}. "
            "Look at it and change it again."
        )
        self.found = found


class ShopifyRefused(PointbookError):
    """Shopify declines a call to its Admin API, now and if it were asked again.

    `reasons` are the codes of its user errors or errors, or its HTTP status ("http_403"). What was
    asked has not been done; only where `certain` is False may an earlier try, whose answer never
    came, have done it.
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
    """The request cannot be carried out as it stands, now or later."""

    code = "refused"


class MalformedBody(Refused):
    """The body is not what it claims to be: not UTF-8, not JSON, a member given twice."""

    code = "malformed_body"


class BodyTooLarge(Refused):
    """The body has more bytes than this function reads."""

    code = "body_too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The body is larger than {limit_bytes} bytes.")
        self.limit_bytes = limit_bytes


class MessageTooLarge(Refused):
    """What is left of a webhook is more than a queue takes, even packed."""

    code = "message_too_large"

    def __init__(self, message_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"{message_bytes} bytes are left of this webhook; a queue takes {limit_bytes}."
        )


class MessageDeclined(PointbookError):
    """The ledger declines what a queue's message calls for: a person has to look."""

    code = "message_declined"

    def __init__(self, refusal_code: str, message: str) -> None:
        super().__init__(f"{refusal_code}: {message}")
        self.refusal_code = refusal_code


class TagsUnknown(PointbookError):
    """Shopify has not told a customer's tags, on which an order's points depend: ask again later.

    Nothing is earned by a guess. The text says what to do if it stays so.
    """

    code = "tags_unknown"


class MethodNotAllowed(Refused):
    """The function answers one method only, `allowed`."""

    code = "method_not_allowed"

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"{method or 'No method'} is not answered here; send {allowed}.")
        self.allowed = allowed


class InvalidRequest(Refused):
    """A part of the request, `field`, has a value that cannot be used."""

    code = "invalid_request"

    def __init__(self, field: str, message: str, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.message = message


class UnknownShop(Refused):
    """The request is genuine, but of a shop that this stack does not serve."""

    code = "unknown_shop"


class TopicMismatch(Refused):
    """The signed body of a webhook is not of the topic that its header names."""

    code = "topic_mismatch"

    def __init__(self, topic: str, why: str) -> None:
        super().__init__(f"The body is none of {topic}: {why}.")
        self.topic = topic
        self.why = why


class SignatureMissing(Refused):
    """The request came without Shopify's signature."""

    code = "signature_missing"

    def __init__(self) -> None:
        super().__init__("The request is not signed.")


class SignatureWrong(Refused):
    """The signature is not the one that our secret gives for these bytes."""

    code = "signature_wrong"

    def __init__(self) -> None:
        super().__init__("The signature does not belong to this request.")


class Unauthenticated(Refused):
    """Nobody proved who is asking. Says no more than `code`, so that a forger learns nothing."""

    def __init__(self, code: TokenCode) -> None:
        super().__init__(_TOKEN_TEXTS[code])
        self.code = code


class NotYours(Refused):
    """The customer asked for is not the one who proved who they are."""

    code = "not_yours"

    def __init__(self) -> None:
        super().__init__("You can see and use your own points only.")


class NotAnOperator(Refused):
    """IAM has not proved who is asking."""

    code = "operator_missing"

    def __init__(self) -> None:
        super().__init__("Sign this request with AWS Signature Version 4, as an operator.")


class OriginRefused(Refused):
    """A write by cookie came from a page that is not on the allow list."""

    code = "origin_not_allowed"

    def __init__(self) -> None:
        super().__init__("This page may not use points with a cookie.")


class Unavailable(PointbookError):
    """Something needed cannot be reached; the caller may ask again after a while."""

    def __init__(self, code: str, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after_seconds = retry_after_seconds


class LedgerUnavailable(Unavailable):
    """The table could not be read or written within the request's time."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            "ledger_unavailable",
            "The points cannot be reached right now. Please try again.",
            retry_after_seconds,
        )


class ShopifyUnavailable(Unavailable):
    """Shopify's Admin API gave no answer in time: whether anything was done is not known."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            "shopify_unavailable",
            "The shop cannot be reached right now. Please try again.",
            retry_after_seconds,
        )


class HoldFailed(Unavailable):
    """The shop did not make the discount of a hold, so nothing is held."""

    def __init__(self) -> None:
        super().__init__(
            "hold_failed",
            "The points could not be used just now; nothing was taken. Please try again.",
            retry_after_seconds=5,
        )


class HoldReleasing(Unavailable):
    """The shop could not switch a hold's discount off: both end at the hold's own time."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            "hold_releasing",
            "The points are being released. They are back when the hold ends, at the latest.",
            retry_after_seconds,
        )


class RateLimited(Unavailable):
    """The shop's page has asked Shopify too often within a minute; nothing was done."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            "rate_limited",
            "Too many requests in a short time; nothing was changed. Please try again later.",
            retry_after_seconds,
        )
