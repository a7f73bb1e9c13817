"""The ledger's interface: instructions and their results."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from pointbook.domain.account import DEFAULT_TIME_ZONE
from pointbook.domain.buckets import Figures
from pointbook.domain.chain import Cause
from pointbook.domain.commands import (
    CaptureHold,
    Command,
    ReturnSpending,
    SpendOnOrder,
    UpdateOrder,
)
from pointbook.domain.staff import DailyLimit


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of a request: a kind ("flow:consume:key") and the caller's key, as a hash."""

    kind: str
    key: str

    @property
    def key_hash(self) -> str:
        """SHA-256 in hex."""
        text = f"{self.kind}\n{self.key}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


type Content = Mapping[str, str | int | None]
"""Requests with the same identity must have the same content."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """A command for one customer's account, with its cause, reason and identity.

    An account that the command opens has the calendar of `time_zone`. Points of a `daily_limit` are
    counted with the entries, once, and the command is refused where they are too many.
    """

    shop: str
    customer_id: str
    command: Command
    cause: Cause
    reason: str = ""
    identity: Identity | None = None
    content: Content = field(default_factory=dict)
    time_zone: str = DEFAULT_TIME_ZONE
    daily_limit: DailyLimit | None = None

    @property
    def content_hash(self) -> str:
        """SHA-256 in hex over the content in a canonical form."""
        return content_hash(self.content)

    @property
    def order_id(self) -> str | None:
        """The order that the command is about, to be read with the account."""
        command = self.command
        if isinstance(command, CaptureHold | UpdateOrder | SpendOnOrder | ReturnSpending):
            return command.order_id
        return None

    @property
    def hold_id(self) -> str | None:
        """The hold whose record the command needs, to be read with the account."""
        return self.command.hold_id if isinstance(self.command, CaptureHold) else None


@dataclass(frozen=True, slots=True)
class Booked:
    """The result of an executed instruction; the same for every repetition.

    `entry_ids` are the command's own entries, `figures` the six figures after them. `duplicate`:
    nothing was written this time. `settled` counts the entries that had fallen due and were written
    with it; `alarms` are for the operator. Repetitions have neither.
    """

    entry_ids: tuple[str, ...]
    figures: Figures
    duplicate: bool = False
    settled: int = 0
    alarms: tuple[str, ...] = ()


def content_hash(content: Content) -> str:
    """SHA-256 in hex over a content in a canonical form."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
