"""What the store makes of every answer of DynamoDB, also those that no emulator gives."""

from dataclasses import replace
from itertools import product
from typing import Any

import botocore.exceptions
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from pointbook.domain.ports import (
    AlreadyDone,
    Committed,
    DueKind,
    ReadRequest,
    StoreUnavailable,
    TransientCause,
    Verdict,
    VersionConflict,
    Write,
)
from pointbook.errors import StoreRefused
from pointbook.store import items
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.table import Table
from tests.support.engine import SHOP
from tests.support.examples import CUSTOMER, NOON, a_write, an_account, an_idempotency_record

WRITE = replace(a_write(), order=None, hold_record=None)
ACCOUNT_ITEM = items.account_item(SHOP, an_account(revision=4))
IDEMPOTENCY_ITEM = items.idempotency_item(SHOP, CUSTOMER, an_idempotency_record())
REQUEST = ReadRequest(SHOP, CUSTOMER)

FAILED = "ConditionalCheckFailed"
CONFLICT = "TransactionConflict"
THROTTLES = ("ThrottlingError", "ProvisionedThroughputExceeded")
CODES = ("None", FAILED, CONFLICT, *THROTTLES)


class Answering:
    """A client that gives one answer, or raises it, whatever the request."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            if isinstance(self._answer, Exception):
                raise self._answer
            return self._answer

        return call


def store(answer: Any) -> DynamoStore:
    return DynamoStore(Table(Answering(answer), "ledger"))


def error(code: str, status: int = 400, **more: Any) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "..."},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **more,
    }
    return ClientError(response, "TransactWriteItems")


def cancelled(*codes: str) -> ClientError:
    """A cancellation: account, entry, remembered request, and perhaps more, in this order."""
    there: tuple[Any, ...] = (ACCOUNT_ITEM, {}, IDEMPOTENCY_ITEM, {}, {})
    reasons = [
        {"Code": code} | ({"Item": item} if code == FAILED and item else {})
        for code, item in zip(codes, there, strict=False)
    ]
    return error("TransactionCanceledException", CancellationReasons=reasons)


# --- verdicts on a write ------------------------------------------------------------------------


def meaning(codes: tuple[str, ...]) -> Verdict | TransientCause:
    """What three reasons mean, by the order in which they matter."""
    account, _, idempotency_record = codes
    if idempotency_record == FAILED:
        return AlreadyDone(an_idempotency_record())
    if any(code in THROTTLES for code in codes):
        return TransientCause.THROTTLED
    if CONFLICT in codes:
        return TransientCause.CONFLICT
    return VersionConflict({CUSTOMER: an_account(revision=4)} if account == FAILED else {})


EVERY_CANCELLATION = [codes for codes in product(CODES, repeat=3) if set(codes) != {"None"}]


@pytest.mark.parametrize("codes", EVERY_CANCELLATION, ids="-".join)
def test_every_cancellation_has_its_meaning(codes: tuple[str, ...]) -> None:
    expected = meaning(codes)

    if isinstance(expected, TransientCause):
        with pytest.raises(StoreUnavailable) as raised:
            store(cancelled(*codes)).commit(WRITE)
        assert raised.value.cause is expected
    else:
        assert store(cancelled(*codes)).commit(WRITE) == expected


def test_a_write_without_an_error_is_committed() -> None:
    assert store({}).commit(WRITE) == Committed()


@pytest.mark.parametrize(
    ("write", "codes", "verdict"),
    [
        (a_write(), ("None", "None", "None", FAILED, "None"), VersionConflict()),
        (a_write(), ("None", "None", "None", "None", FAILED), VersionConflict()),
        # The account is handed back only where deciding on it again is all there is to do.
        (a_write(), (FAILED, "None", "None", FAILED, "None"), VersionConflict()),
        (
            replace(WRITE, idempotency_record=None),
            (FAILED, FAILED),
            VersionConflict({CUSTOMER: an_account(revision=4)}),
        ),
    ],
)
def test_an_order_or_a_hold_record_that_changed_has_to_be_read_again(
    write: Write, codes: tuple[str, ...], verdict: Verdict
) -> None:
    assert store(cancelled(*codes)).commit(write) == verdict


@pytest.mark.parametrize(
    "codes", [("None", "ValidationError", "None"), ("None", "None", "None"), ()]
)
def test_a_cancellation_that_no_retry_can_fix_is_refused(codes: tuple[str, ...]) -> None:
    with pytest.raises(StoreRefused):
        store(cancelled(*codes)).commit(WRITE)


# --- errors -------------------------------------------------------------------------------------

TRY_AGAIN = [
    (error("ThrottlingException"), TransientCause.THROTTLED),
    (error("ProvisionedThroughputExceededException"), TransientCause.THROTTLED),
    (error("RequestLimitExceeded"), TransientCause.THROTTLED),
    (error("TransactionConflictException"), TransientCause.CONFLICT),
    (error("TransactionInProgressException"), TransientCause.CONFLICT),
    (error("InternalServerError", 500), TransientCause.UNREACHABLE),
    (error("ServiceUnavailable", 503), TransientCause.UNREACHABLE),
    (error("Whatever", 502), TransientCause.UNREACHABLE),
    (botocore.exceptions.ReadTimeoutError(endpoint_url="x"), TransientCause.UNREACHABLE),
    (botocore.exceptions.ConnectTimeoutError(endpoint_url="x"), TransientCause.UNREACHABLE),
    (botocore.exceptions.ConnectionClosedError(endpoint_url="x"), TransientCause.UNREACHABLE),
    (botocore.exceptions.EndpointConnectionError(endpoint_url="x"), TransientCause.UNREACHABLE),
]
REFUSED = [
    error("ResourceNotFoundException"),
    error("AccessDeniedException"),
    error("ValidationException"),
    error("UnrecognizedClientException"),
    error("ExpiredTokenException"),
    botocore.exceptions.NoCredentialsError(),
    botocore.exceptions.ParamValidationError(report="..."),
]


def name_of(failure: object) -> str | None:
    if isinstance(failure, ClientError):
        return failure.response["Error"]["Code"]
    return type(failure).__name__ if isinstance(failure, BotoCoreError) else None


def every_method(answer: Exception) -> list[Any]:
    failing = store(answer)
    return [
        lambda: failing.commit(WRITE),
        lambda: failing.load(REQUEST, fresh=False),
        lambda: failing.load(REQUEST, fresh=True),
        lambda: failing.account(SHOP, CUSTOMER),
        lambda: failing.entries(SHOP, CUSTOMER, before_version=9, limit=9),
        lambda: list(failing.due(DueKind.LOT, 0, NOON)),
    ]


@pytest.mark.parametrize(("failure", "cause"), TRY_AGAIN, ids=name_of)
def test_an_error_that_a_retry_may_overcome_is_transient(
    failure: Exception, cause: TransientCause
) -> None:
    for method in every_method(failure):
        with pytest.raises(StoreUnavailable) as raised:
            method()
        assert raised.value.cause is cause


@pytest.mark.parametrize("failure", REFUSED, ids=name_of)
def test_an_error_that_no_retry_overcomes_has_the_aws_code(failure: Exception) -> None:
    for method in every_method(failure):
        with pytest.raises(StoreRefused) as raised:
            method()
        assert raised.value.aws_code == name_of(failure)


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (CONFLICT, TransientCause.CONFLICT),
        *((throttle, TransientCause.THROTTLED) for throttle in THROTTLES),
    ],
)
def test_a_fresh_read_that_meets_a_write_is_transient(code: str, cause: TransientCause) -> None:
    with pytest.raises(StoreUnavailable) as raised:
        store(cancelled(code, "None")).load(REQUEST, fresh=True)
    assert raised.value.cause is cause


def test_a_cheap_read_with_unprocessed_keys_is_transient() -> None:
    answer = {"Responses": {"ledger": []}, "UnprocessedKeys": {"ledger": {"Keys": [{}]}}}

    with pytest.raises(StoreUnavailable) as raised:
        store(answer).load(REQUEST, fresh=False)
    assert raised.value.cause is TransientCause.THROTTLED
