"""A DynamoDB client that fails in every way in which DynamoDB, a network or a Lambda can.

    throttled       refused as a whole, or action by action, or a part of a batch left out
    conflict        another transaction is under way on one of the items
    in progress     this very transaction is said to be under way
    server error    500, without an effect; or with one
    request lost    no connection; nothing happened
    reply lost      it happened, but the answer never came
    late commit     no answer, and it happens after the caller has given up
    stale, torn     a read that is not consistent shows the past, or each item of another past
    lag             an index shows the past
    fewer reasons   of several conditions that failed only one is named
    crash           the process ends before or after the call: only the driver catches `Crash`

Consistent reads and transactions never show the past. What fails and when comes from a `Plan`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any, Final, Protocol

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from tests.fakes.dynamodb import MemoryDynamoDB, cancelled, refused

type Request = dict[str, Any]


class Fault(StrEnum):
    """What can go wrong with one call."""

    THROTTLED = "throttled"
    THROTTLED_IN_PART = "throttled in part"
    CONFLICT = "conflict"
    IN_PROGRESS = "in progress"
    SERVER_ERROR = "server error"
    SERVER_ERROR_AFTER = "server error after the effect"
    REQUEST_LOST = "request lost"
    REPLY_LOST = "reply lost"
    LATE_COMMIT = "late commit"
    STALE = "stale read"
    TORN = "torn read"
    LAG = "index lag"
    FEWER_REASONS = "fewer reasons"
    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"


_ANYWHERE = frozenset(
    {
        Fault.THROTTLED,
        Fault.SERVER_ERROR,
        Fault.SERVER_ERROR_AFTER,
        Fault.REQUEST_LOST,
        Fault.REPLY_LOST,
        Fault.CRASH_BEFORE,
        Fault.CRASH_AFTER,
    }
)
POSSIBLE: Final[dict[str, frozenset[Fault]]] = {
    "get_item": _ANYWHERE | {Fault.STALE},
    "query": _ANYWHERE | {Fault.STALE, Fault.LAG},
    "batch_get_item": _ANYWHERE | {Fault.THROTTLED_IN_PART, Fault.STALE, Fault.TORN},
    "transact_get_items": _ANYWHERE | {Fault.CONFLICT},
    "transact_write_items": _ANYWHERE
    | {Fault.THROTTLED_IN_PART, Fault.CONFLICT, Fault.IN_PROGRESS, Fault.LATE_COMMIT}
    | {Fault.FEWER_REASONS},
    "batch_write_item": _ANYWHERE,
    "scan": _ANYWHERE | {Fault.STALE},
    "put_item": _ANYWHERE | {Fault.CONFLICT, Fault.LATE_COMMIT},
    "update_item": _ANYWHERE | {Fault.CONFLICT, Fault.LATE_COMMIT},
    "delete_item": _ANYWHERE | {Fault.CONFLICT, Fault.LATE_COMMIT},
}
_SINGLE_WRITES = frozenset({"put_item", "update_item", "delete_item"})
_WRITES = frozenset({"transact_write_items", "batch_write_item"}) | _SINGLE_WRITES
_PAST = frozenset({Fault.STALE, Fault.TORN, Fault.LAG})
_CONNECT_TIMEOUT_MS = 1_000
_READ_TIMEOUT_MS = 3_000
_WHERE = "https://dynamodb.invalid"


class Crash(BaseException):
    """The process has ended here. Not an Exception: nothing but the driver may catch it."""


class Plan(Protocol):
    """Says what goes wrong with the next call."""

    def next(self, operation: str) -> Fault | None:
        """The fault for this call, one that is possible for the operation; None: it goes well."""
        ...


@dataclass(slots=True)
class Nothing:
    """Nothing goes wrong."""

    def next(self, operation: str) -> Fault | None:
        """None."""
        return None


@dataclass(slots=True)
class Seeded:
    """Each fault by its own rate, drawn."""

    random: Random
    rates: dict[Fault, float]

    def next(self, operation: str) -> Fault | None:
        """A fault by chance."""
        drawn = self.random.random()
        for fault, rate in self.rates.items():
            drawn -= rate
            if drawn < 0:
                return fault if fault in POSSIBLE[operation] else None
        return None


@dataclass(slots=True)
class At:
    """One fault at one call, counted from 0, and none beside."""

    call: int
    fault: Fault
    seen: list[str] = field(default_factory=list)

    def next(self, operation: str) -> Fault | None:
        """The fault when its call has come."""
        self.seen.append(operation)
        return self.fault if len(self.seen) - 1 == self.call else None


class Time(Protocol):
    """Where time passes: the wheel of the simulation, or nothing at all."""

    def pause(self, wait_ms: int) -> None:
        """Wait."""
        ...

    def later(self, after_ms: int, call: Callable[[], object]) -> None:
        """Call something later."""
        ...


class Standstill:
    """Time for tests without a wheel: waiting takes none, and what is late waits for `catch_up`."""

    def __init__(self) -> None:
        self._late: list[Callable[[], object]] = []

    def pause(self, wait_ms: int) -> None:
        """Do not wait."""

    def later(self, after_ms: int, call: Callable[[], object]) -> None:
        """Keep it for `catch_up`."""
        self._late.append(call)

    def catch_up(self) -> None:
        """Let everything happen that was to happen later."""
        late, self._late = self._late, []
        for call in late:
            call()


class Witness(Protocol):
    """Notified of what really happened, whatever the caller sees."""

    def issued(self, operation: str) -> object:
        """A call is made; what this returns comes back with `committed`."""
        ...

    def suffered(self, fault: Fault) -> None:
        """A fault was injected."""
        ...

    def committed(self, request: Request, stamp: object) -> None:
        """A write has happened."""
        ...

    def answered(self) -> None:
        """The caller has an answer or an error."""
        ...


class FaultyClient:
    """Wraps a client; `past` is a `MemoryDynamoDB` in step with it, or the client itself."""

    def __init__(
        self,
        client: Any,
        past: MemoryDynamoDB,
        plan: Plan,
        time: Time,
        random: Random,
        witness: Witness,
    ) -> None:
        self._client = client
        self._past = past
        self._plan = plan
        self._time = time
        self._random = random
        self._witness = witness

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        if operation not in POSSIBLE:
            raise AttributeError(operation)
        return lambda **request: self._call(operation, request)

    def _call(self, operation: str, request: Request) -> Any:
        stamp = self._witness.issued(operation)
        fault = self._plan.next(operation)
        if fault in _PAST and request.get("ConsistentRead"):
            fault = None
        if fault is not None:
            assert fault in POSSIBLE[operation], f"{operation} cannot suffer {fault}"
            self._witness.suffered(fault)
        if fault is Fault.CRASH_BEFORE:
            raise Crash
        try:
            return self._answer(operation, request, fault, stamp)
        finally:
            self._witness.answered()

    def _answer(self, operation: str, request: Request, fault: Fault | None, stamp: object) -> Any:
        self._time.pause(self._random.choice((0, 1, 1, 2, 3, 5, 8)))
        if fault in _PAST:
            return self._old(operation, request, fault)
        self._refuse(operation, request, fault, stamp)
        try:
            answer = self._perform(operation, request, stamp)
        except ClientError as error:
            if fault is Fault.FEWER_REASONS:
                raise _naming_one(error, self._random) from error
            raise
        self._time.pause(self._random.choice((0, 1, 1, 2, 3, 5)))
        match fault:
            case Fault.CRASH_AFTER:
                raise Crash
            case Fault.REPLY_LOST:
                self._time.pause(_READ_TIMEOUT_MS)
                raise ReadTimeoutError(endpoint_url=_WHERE)
            case Fault.SERVER_ERROR_AFTER:
                raise refused("InternalServerError", "Internal server error", status=500)
        if fault is Fault.THROTTLED_IN_PART:
            _leave_out(answer, request, self._random)
        return answer

    def _refuse(self, operation: str, request: Request, fault: Fault | None, stamp: object) -> None:
        """Raise where nothing happens, or not now."""
        if fault is Fault.REQUEST_LOST:
            self._time.pause(_CONNECT_TIMEOUT_MS)
            refused_connection = self._random.choice((ConnectTimeoutError, EndpointConnectionError))
            raise refused_connection(endpoint_url=_WHERE)
        if fault is Fault.LATE_COMMIT:
            late_ms = self._random.choice((-2_000, -1, 1, 200, 5_000, 90_000))
            arrive = lambda: self._arrive(operation, request, stamp)  # noqa: E731
            self._time.later(_READ_TIMEOUT_MS + late_ms, arrive)
            self._time.pause(_READ_TIMEOUT_MS)
            raise ReadTimeoutError(endpoint_url=_WHERE)
        error = _refusal(operation, request, fault, self._random)
        if error is not None:
            raise error

    def _arrive(self, operation: str, request: Request, stamp: object) -> None:
        """The request arrives after all; nobody hears what became of it."""
        try:
            self._perform(operation, request, stamp)
        except ClientError as error:
            if "ConditionalCheckFailed" not in str(error):
                raise

    def _perform(self, operation: str, request: Request, stamp: object) -> Any:
        answer = getattr(self._client, operation)(**request)
        if operation in _WRITES:
            if self._past is not self._client:
                getattr(self._past, operation)(**request)
            self._witness.committed(request, stamp)
        return answer

    def _old(self, operation: str, request: Request, fault: Fault | None) -> Any:
        """What a read shows that is served from a replica that lags behind."""
        answer = getattr(self._past.as_of(self._back()), operation)(**request)
        if fault is Fault.TORN:
            for table, requested in request["RequestItems"].items():
                answer["Responses"][table] = [
                    item for key in requested["Keys"] for item in self._one_old(table, key)
                ]
        self._time.pause(self._random.choice((0, 1, 2, 5)))
        return answer

    def _one_old(self, table: str, key: Request) -> list[Request]:
        found = self._past.as_of(self._back()).get_item(TableName=table, Key=key)
        return [found["Item"]] if "Item" in found else []

    def _back(self) -> int:
        return max(0, self._past.sequence - self._random.choice((0, 1, 1, 2, 3, 5, 8, 13, 30)))


def _refusal(
    operation: str, request: Request, fault: Fault | None, random: Random
) -> ClientError | None:
    """What DynamoDB answers in place of doing it."""
    match fault:
        case Fault.THROTTLED:
            codes = ("ThrottlingException", "ProvisionedThroughputExceededException")
            return refused(random.choice(codes), "Rate exceeded")
        case Fault.THROTTLED_IN_PART if operation in _WRITES:
            mixed = ("ThrottlingError", "None", "ProvisionedThroughputExceeded")
            return _cancelled_for(request, mixed, random)
        case Fault.CONFLICT if operation in _SINGLE_WRITES:
            return refused("TransactionConflictException", "Transaction is ongoing for the item")
        case Fault.CONFLICT:
            return _cancelled_for(request, ("TransactionConflict", "None", "None"), random)
        case Fault.IN_PROGRESS:
            return refused("TransactionInProgressException", "The transaction is in progress")
        case Fault.SERVER_ERROR:
            code, status = random.choice(
                (("InternalServerError", 500), ("ServiceUnavailable", 503))
            )
            return refused(code, "Not now", status=status)
    return None


def _cancelled_for(request: Request, codes: tuple[str, ...], random: Random) -> ClientError:
    """A cancelled transaction: the first of `codes` somewhere, any of them elsewhere."""
    count = len(request["TransactItems"])
    chosen = [random.choice(codes) for _ in range(count)]
    chosen[random.randrange(count)] = codes[0]
    return cancelled([{"Code": code} for code in chosen])


def _naming_one(error: ClientError, random: Random) -> ClientError:
    """The same cancellation, but with one reason only."""
    reasons: list[Any] = error.response.get("CancellationReasons", [])
    failed = [at for at, reason in enumerate(reasons) if reason["Code"] != "None"]
    if not failed:
        return error
    reported = random.choice(failed)
    return cancelled([r if at == reported else {"Code": "None"} for at, r in enumerate(reasons)])


def _leave_out(answer: Request, request: Request, random: Random) -> None:
    """Leave a part of a batch undone and say so."""
    for table, requested in request["RequestItems"].items():
        keys = requested["Keys"]
        left_out = random.choice(keys)
        answer["UnprocessedKeys"] = {table: {"Keys": [left_out]}}
        answer["Responses"][table] = [
            item
            for item in answer["Responses"][table]
            if any(item[name] != left_out[name] for name in left_out)
        ]


class Unwatched:
    """A witness that notes nothing; its subclasses note what they need."""

    def issued(self, operation: str) -> object:
        """Nothing to note."""
        return None

    def suffered(self, fault: Fault) -> None:
        """Nothing to note."""

    def committed(self, request: Request, stamp: object) -> None:
        """Nothing to note."""

    def answered(self) -> None:
        """Nothing to note."""


def faulty(
    memory: MemoryDynamoDB,
    plan: Plan,
    *,
    time: Time | None = None,
    seed: int = 0,
    witness: Witness | None = None,
) -> FaultyClient:
    """A client of a table in memory that fails as planned; by default time stands still."""
    time, witness = time or Standstill(), witness or Unwatched()
    return FaultyClient(memory, memory, plan, time, Random(seed), witness)
