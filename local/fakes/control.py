"""The control API of all fakes: `GET /_log`, `POST /_reset`, `POST /_behave`.

A behaviour is a JSON object:

    latency_ms   wait this long before anything else
    fail_with    answer with this HTTP status and do nothing
    throttle     answer as the real service does when it throttles, and do nothing
    hang         never answer and do nothing
    drop_reply   carry the request out, then close the connection without an answer
    trickle_ms   carry the request out, then send the answer byte by byte with this pause
    answer_with  answer 200, or as fail_with says, with this text and do nothing
    forget       a customer's number: as if this customer did not exist
    match        only for this operation, or for paths that begin or end with this text
    times        for this many requests; by default until the next reset; 0 clears all behaviours

If several behaviours match a request, only the newest is applied. `_reset` clears the log and the
behaviours and nothing else; requests that hang or wait are released.
"""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime

_LOG_LIMIT = 50_000


class BadBehaviour(ValueError):
    """The body of `_behave` is not a behaviour."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request as logged: its operation, its arguments, and the customer (digits), if any.

    The customers of a request about several are separated by commas.
    """

    operation: str | None
    variables: Mapping[str, object]
    customer: str | None = None


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How to treat a request; by default normally. The module's docstring has the fields."""

    latency_ms: int = 0
    fail_with: int | None = None
    throttle: bool = False
    hang: bool = False
    drop_reply: bool = False
    trickle_ms: int = 0
    answer_with: str | None = None
    forget: str | None = None
    match: str | None = None

    def fits(self, call: Call, path: str) -> bool:
        """Whether this behaviour applies to the request."""
        if self.forget is not None and self.forget not in (call.customer or "").split(","):
            return False
        return self.match is None or (
            call.operation == self.match or path.startswith(self.match) or path.endswith(self.match)
        )


NORMAL = Behaviour()


@dataclass(slots=True)
class Entry:
    """An entry of the log. `status` is None as long as there is no answer."""

    at: str
    operation: str | None
    path: str
    variables: Mapping[str, object]
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Treatment:
    """The behaviour for one request, and an event that is set when behaviours are cleared."""

    behaviour: Behaviour
    released: threading.Event


@dataclass(slots=True)
class _InForce:
    behaviour: Behaviour
    times_left: int | None


class Control:
    """The log and the behaviours of one fake. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._log: deque[Entry] = deque(maxlen=_LOG_LIMIT)
        self._in_force: list[_InForce] = []
        self._released = threading.Event()

    def begin(self, call: Call, path: str) -> tuple[Entry, Treatment]:
        """Log the request and choose its behaviour, atomically.

        So a reset after a request has appeared in the log releases that request.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        entry = Entry(now, call.operation, path, call.variables)
        with self._lock:
            self._log.append(entry)
            return entry, self._treatment(call, path)

    def log(self) -> list[dict[str, object]]:
        """Return every request so far, oldest first."""
        with self._lock:
            return [
                {field.name: getattr(entry, field.name) for field in fields(Entry)}
                for entry in self._log
            ]

    def _treatment(self, call: Call, path: str) -> Treatment:
        """Return the behaviour for this request, and count it if the behaviour is limited."""
        for in_force in reversed(self._in_force):
            if in_force.behaviour.fits(call, path):
                self._count(in_force)
                return Treatment(in_force.behaviour, self._released)
        return Treatment(NORMAL, self._released)

    def _count(self, in_force: _InForce) -> None:
        if in_force.times_left is None:
            return
        in_force.times_left -= 1
        if in_force.times_left == 0:
            self._in_force.remove(in_force)

    def behave(self, order: object) -> None:
        """Add a behaviour, or clear all. Raises BadBehaviour and changes nothing."""
        behaviour, times = _read_order(order)
        with self._lock:
            if times == 0:
                self._in_force.clear()
                self._release_all()
            else:
                self._in_force.append(_InForce(behaviour, times))

    def reset(self) -> None:
        """Clear the log and the behaviours, and release requests that wait or hang."""
        with self._lock:
            self._log.clear()
            self._in_force.clear()
            self._release_all()

    def _release_all(self) -> None:
        self._released.set()
        self._released = threading.Event()


def _read_order(order: object) -> tuple[Behaviour, int | None]:
    if not isinstance(order, dict):
        raise BadBehaviour("a behaviour is a JSON object")
    rest = dict(order)
    times = _whole_number(rest, "times") if "times" in rest else None
    rest.pop("times", None)
    unknown = rest.keys() - {field.name for field in fields(Behaviour)}
    if unknown:
        raise BadBehaviour(f"unknown: {', '.join(sorted(unknown))}")
    return _behaviour(rest), times


def _behaviour(order: dict[str, object]) -> Behaviour:
    return Behaviour(
        latency_ms=_whole_number(order, "latency_ms") if "latency_ms" in order else 0,
        fail_with=_status(order) if "fail_with" in order else None,
        throttle=_flag(order, "throttle"),
        hang=_flag(order, "hang"),
        drop_reply=_flag(order, "drop_reply"),
        trickle_ms=_whole_number(order, "trickle_ms") if "trickle_ms" in order else 0,
        answer_with=str(order["answer_with"]) if "answer_with" in order else None,
        forget=str(order["forget"]) if "forget" in order else None,
        match=str(order["match"]) if "match" in order else None,
    )


def _whole_number(order: Mapping[str, object], name: str) -> int:
    value = order[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadBehaviour(f"{name} is {value!r}, not a whole number from 0")
    return value


def _status(order: Mapping[str, object]) -> int:
    status = _whole_number(order, "fail_with")
    if not 300 <= status <= 599:
        raise BadBehaviour(f"fail_with is {status}, not a status of a failure (300 to 599)")
    return status


def _flag(order: Mapping[str, object], name: str) -> bool:
    value = order.get(name, False)
    if not isinstance(value, bool):
        raise BadBehaviour(f"{name} is {value!r}, not true or false")
    return value
