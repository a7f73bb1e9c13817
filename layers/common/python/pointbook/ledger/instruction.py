"""What the ledger is asked to do, and what it answers."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pointbook.domain.account import Hold
from pointbook.domain.buckets import Figures
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Command
from pointbook.domain.lots import Lots
from pointbook.domain.ports import Loaded


@dataclass(frozen=True, slots=True)
class Identity:
    """What names a request: a kind ("flow-consume:key") and the caller's key. Kept as a hash."""

    kind: str
    key: str

    @property
    def key_hash(self) -> str:
        """SHA-256 in hex."""
        text = f"{self.kind}\n{self.key}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


type Content = Mapping[str, str | int | None]
"""What makes two requests with one identity the same."""

type Complete = Callable[[Loaded], Command]


@dataclass(frozen=True, slots=True)
class Instruction:
    """A command for one customer's book, and who gives it, why, and under which name.

    `command` may be a function of what was read, where it needs the order (`order_id`) or the hold
    record (`hold_id`). `content` is what makes two requests with one identity the same.
    """

    shop: str
    customer_id: str
    command: Command | Complete
    cause: Cause
    reason: str = ""
    identity: Identity | None = None
    content: Content = field(default_factory=dict)
    order_id: str | None = None
    hold_id: str | None = None

    @property
    def content_hash(self) -> str:
        """SHA-256 in hex over the content in a canonical form."""
        return content_hash(self.content)

    def command_for(self, loaded: Loaded) -> Command:
        """The command, completed with what was read."""
        return self.command(loaded) if callable(self.command) else self.command


@dataclass(frozen=True, slots=True)
class Booked:
    """The answer to an instruction that has had its effect, the same however often it is given.

    `entry_ids` are the command's own entries, `figures` the six figures after them. `duplicate`:
    this time nothing was written. `settled` counts the entries that had fallen due and were written
    down with it; `alarms` are for the operator. Both come only once.
    """

    entry_ids: tuple[str, ...]
    figures: Figures
    duplicate: bool = False
    settled: int = 0
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """A customer's book as it stands at `as_of`: what has fallen due is taken into account.

    `version` is that of the last entry written. `erased`: the customer asked to be forgotten.
    """

    customer_id: str
    figures: Figures
    lots: Lots
    hold: Hold | None
    version: int
    as_of: datetime
    erased: bool = False


def content_hash(content: Content) -> str:
    """SHA-256 in hex over a content in a canonical form."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
