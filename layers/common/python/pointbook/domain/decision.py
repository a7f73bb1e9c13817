"""What was decided: the account as it will be, with its entries; and what falls due by itself."""

from dataclasses import dataclass, replace
from datetime import datetime

from pointbook.domain.account import Account, HoldRecord, OrphanedCode, faults
from pointbook.domain.draft import Draft
from pointbook.domain.entry import Entry
from pointbook.domain.orders import Order

COMMAND_ENTRIES_MAX = 3
"""The most entries that one command adds to one account, besides what had fallen due before it.

This does not depend on the number of lots: at most two movements of its own (part of a hold is
spent and the rest released; or a merge releases a hold and moves points away), and one that expires
all points returned too late. `decide` and `merge` assert it for every command.
"""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be written: the new account, its entries, and what else changed.

    The first `settled` entries had fallen due before; the others are the command's. `order` and
    `record` are None if unchanged. `alarms` are for the operator, `orphaned_codes` are to be
    deactivated.
    """

    account: Account
    entries: tuple[Entry, ...]
    settled: int
    order: Order | None = None
    record: HoldRecord | None = None
    alarms: tuple[str, ...] = ()
    orphaned_codes: tuple[OrphanedCode, ...] = ()

    @property
    def command_entries(self) -> tuple[Entry, ...]:
        """The command's own entries."""
        return self.entries[self.settled :]

    def changes(self, before: Account) -> bool:
        """Whether there is anything to write. A later `as_of` alone is not a reason to write."""
        return bool(self.entries or self.order or self.record or self.account.hold != before.hold)


def settled(account: Account, now: datetime) -> Account:
    """The account as it stands at `now`, for reads: nothing due is left on it."""
    draft = Draft(account, now)
    draft.settle()
    return finished(draft, account, len(draft.entries))


def settle_part(account: Account, now: datetime, entries_max: int | None) -> Decision:
    """Only what has fallen due, the earliest first: as many entries as fit in one write, or all."""
    draft = Draft(account, now)
    draft.settle(entries_max)
    entries = tuple(draft.entries)
    settled = len(entries)
    return Decision(account=finished(draft, account, settled), entries=entries, settled=settled)


def finished(draft: Draft, before: Account, settled: int) -> Account:
    """The draft's account with its time and revision, after checking its invariants."""
    own = len(draft.entries) - settled
    assert own <= COMMAND_ENTRIES_MAX, f"one command has {own} entries: {draft.entries[settled:]}"
    after = replace(draft.account, as_of=draft.now, revision=before.revision + 1)
    assert not (wrong := faults(after)), f"{wrong} in {after}"
    return after
