"""Each till with its fake, for the tests that every adapter has to pass."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from local import demo
from local.fakes import recore, square, till
from local.fakes.server import FakeServer
from pointbook.clock import SystemClock
from pointbook.deadline import Deadline
from pointbook.till.client import Pace
from pointbook.till.member import Member, Till
from pointbook.till.providers import Surroundings, till_of
from tests.fakes.admin_api import MemoryTokenStore
from tests.support.serving import serving

PLENTY_SECONDS = 10.0
"""For tests that are not about time, so that a loaded machine fails none of them."""

NUMBER = "8840734670934"


@dataclass(frozen=True, slots=True)
class TillKind:
    """A provider, its fake, and the fake's names for what the tests are about."""

    provider: str
    service: Callable[[], till.TillService | square.SquareService | recore.RecoreService]
    reads: tuple[str, ...]
    """The operations of one read of a member whose id is not known."""
    write: str = ""
    """The operation that changes points."""
    read_back: str = ""
    """The operation that finds out what became of a change."""


KINDS = (
    TillKind(
        "smaregi",
        lambda: till.TillService(till.Account()),
        ("customers", "points"),
        write="add_points",
        read_back="transactions",
    ),
    TillKind(
        "square",
        lambda: square.SquareService(square.Account()),
        ("accounts",),
        write="adjust",
        read_back="events",
    ),
    TillKind("recore", lambda: recore.RecoreService(recore.Account()), ("members",)),
)


@dataclass(slots=True)
class TillUnderTest:
    """An adapter and the fake that it calls."""

    kind: TillKind
    fake: FakeServer
    tokens: MemoryTokenStore = field(default_factory=MemoryTokenStore)

    def start(self, pace: Pace | None = None, credentials: Mapping[str, str] | None = None) -> Till:
        """Return an adapter as an instance that has just started; all share their tokens.

        `credentials` replace or join those that the fake accepts.
        """
        around = Surroundings(self.tokens, SystemClock(), pace, local_url=self.fake.url)
        given = {**demo.TILLS[self.kind.provider], **(credentials or {})}
        return till_of(self.kind.provider, given, around)

    def put(self, **member: object) -> str:
        """Set a member, as somebody at the counter does; return the till's own id."""
        service = self.fake.service
        assert isinstance(service, till.TillService | square.SquareService | recore.RecoreService)
        return service.put({"member_number": NUMBER, "balance": 1000} | member).customer_id

    def behave(self, **behaviour: object) -> None:
        """Make the till misbehave."""
        self.fake.control.behave(behaviour)

    def calm(self) -> None:
        """Clear behaviours and the log."""
        self.fake.control.reset()

    def operations(self) -> list[object]:
        """The operations so far."""
        return [entry["operation"] for entry in self.fake.control.log()]


@contextmanager
def till_under_test(kind: TillKind) -> Iterator[TillUnderTest]:
    """Serve the fake of a till while the block runs."""
    with serving(FakeServer(kind.service(), 0)) as fake:
        yield TillUnderTest(kind, fake)


def member_of(till: Till, number: str = NUMBER, till_id: str | None = None) -> Member:
    """Read a member without hurry."""
    return till.member(number, Deadline.after(PLENTY_SECONDS), till_id)
