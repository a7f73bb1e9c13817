"""Requests to the ledger in the simulation, their attempts, and what these wrote."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pointbook.domain.chain import Cause
from pointbook.domain.commands import CaptureHold, Command, PlaceHold
from pointbook.ledger.instruction import Identity, Instruction
from tests.simulation.kernel.scheduler import SkewedClock

type Who = tuple[str, str]
"""A shop and a customer."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, however often it is sent: `number` names it.

    `merge_into` makes it a merge, `reads` a read; all others carry a command.
    """

    number: int
    who: Who
    name: str
    command: Command | None = None
    identity: Identity | None = None
    content: Mapping[str, str | int | None] = field(default_factory=dict)
    reason: str = ""
    caused_by: str = ""
    merge_into: str | None = None
    reads: bool = False

    @property
    def cause(self) -> Cause:
        """The number, so that entries show it; and the entry that caused it, if any."""
        return Cause("simulation", str(self.number), self.caused_by)

    def __str__(self) -> str:
        command = self.command or self.merge_into or ""
        about = (
            self.order_id or "",
            self.hold_id or "",
            self.identity.key if self.identity else "",
        )
        return " ".join(("/".join(self.who), self.name, str(command), *about))

    @property
    def order_id(self) -> str | None:
        """The order that its command is about."""
        return getattr(self.command, "order_id", None)

    @property
    def hold_id(self) -> str | None:
        """The hold whose record its command makes or changes."""
        command = self.command
        return command.hold_id if isinstance(command, PlaceHold | CaptureHold) else None

    def instruction(self, time_zone: str = "Asia/Tokyo") -> Instruction:
        """The request as the ledger takes it."""
        assert self.command is not None
        shop, customer_id = self.who
        return Instruction(
            shop=shop,
            customer_id=customer_id,
            command=self.command,
            cause=self.cause,
            reason=self.reason,
            identity=self.identity,
            content=self.content,
            time_zone=time_zone,
        )


@dataclass(slots=True, eq=False)
class Attempt:
    """One time that a request is sent.

    `instants` are those at which it can have read or decided something: how many writes had
    happened by then, and the time by its clock. `began_ms` and `over_ms` are true times.
    """

    request: Request
    clock: SkewedClock
    called_at: int = 0
    began_ms: int = 0
    instants: list[tuple[int, int]] = field(default_factory=list)
    commits: list["Commit"] = field(default_factory=list)
    refused: bool = False
    over_ms: int | None = None

    @property
    def effects(self) -> list["Commit"]:
        """Its writes that did what was requested."""
        return [commit for commit in self.commits if commit.own]


@dataclass(frozen=True, slots=True)
class Commit:
    """One write for a request, and the answer that belongs to it.

    `sequence` is its place among all writes. `own` is false for writes that only settle.
    """

    sequence: int
    attempt: Attempt
    entry_ids: tuple[str, ...]
    figures: tuple[int, ...]
    alarms: tuple[str, ...] = ()
    own: bool = True
