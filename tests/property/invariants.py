"""What must hold after every step, whatever the command: one named function for each."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pointbook.domain.account import Account
from pointbook.domain.buckets import Balances, Bucket
from pointbook.domain.decision import settled
from pointbook.domain.entry import Entry, Topic
from pointbook.domain.lots import added, total
from tests.reference.calendar_walk import lapses_at

SPENDING = (Topic.SUB_FLOW, Topic.SUB_MANUAL, Topic.SUB_HOLD, Topic.SUB_ORDER)


@dataclass(frozen=True, slots=True)
class Step:
    """One write: the account before and after it, its entries, and the clock at the time."""

    before: Account
    after: Account
    entries: tuple[Entry, ...]
    now: datetime
    settled_whole: bool = True


def buckets_sum_to_zero(step: Step) -> None:
    assert sum(step.after.balances) == 0


def lifetime_is_what_was_ever_approved(step: Step) -> None:
    """Issued less what is still, or was only ever, promised: counted from the movements."""
    lifetime = step.before.figures.lifetime
    for entry in step.entries:
        moves = dict(entry.moves)
        if entry.topic in (Topic.ADD_MERGE, Topic.SUB_MERGE):
            never_approved = (Bucket.ISSUED, Bucket.PENDING, Bucket.CANCELLED)
            lifetime -= sum(moves.get(bucket, 0) for bucket in never_approved)
        elif moves.get(Bucket.APPROVED, 0) > 0 and {Bucket.ISSUED, Bucket.PENDING} & set(moves):
            lifetime += entry.approved_delta
    assert step.after.figures.lifetime == lifetime


def lifetime_never_falls(step: Step) -> None:
    lifetime = step.before.figures.lifetime
    for entry in step.entries:
        if entry.topic is not Topic.SUB_MERGE:
            assert entry.figures.lifetime >= lifetime
        lifetime = entry.figures.lifetime


def total_is_approved_and_pending(step: Step) -> None:
    for entry in step.entries:
        assert entry.figures.total == entry.figures.approved + entry.figures.pending


def debt_means_no_free_lot(step: Step) -> None:
    lots = step.before.lots
    for entry in step.entries:
        lots = added(lots, entry.lots)
        assert not (entry.figures.approved < 0 and lots), entry
        assert total(lots) == max(0, entry.figures.approved), entry


def entries_alone_change_the_balances(step: Step) -> None:
    """One movement is one entry, from one bucket to one other, and there is no other change."""
    balances = step.before.balances
    for entry in step.entries:
        assert sum(change for _, change in entry.moves) == 0
        if entry.topic is Topic.EXPIRY_EXTEND:
            assert entry.moves == ()
        elif entry.topic not in (Topic.ADD_MERGE, Topic.SUB_MERGE):
            out, into = sorted(change for _, change in entry.moves)
            assert out < 0 < into
        balances = Balances(*map(sum, zip(balances, _by_bucket(entry), strict=True)))
    assert balances == step.after.balances


def entries_are_gapless(step: Step) -> None:
    first = step.before.version + 1
    assert [e.version for e in step.entries] == list(range(first, step.after.version + 1))
    assert len({entry.entry_id for entry in step.entries}) == len(step.entries)


def every_write_is_counted(step: Step) -> None:
    assert step.after.revision == step.before.revision + 1


def entries_name_their_lots(step: Step) -> None:
    """Folding what entries say of lots gives the account's lots and the hold's."""
    lots, held = step.before.lots, step.before.hold.lots if step.before.hold else ()
    approved = step.before.balances.approved
    for entry in step.entries:
        moves = dict(entry.moves)
        free_before, approved = max(0, approved), approved + entry.approved_delta
        assert total(entry.lots) == max(0, approved) - free_before
        assert total(entry.held_lots) == moves.get(Bucket.HOLD, 0)
        lots, held = added(lots, entry.lots), added(held, entry.held_lots)
        assert all(lot.points > 0 for lot in (*lots, *held))
    assert lots == step.after.lots
    assert held == (step.after.hold.lots if step.after.hold else ())


def an_extension_has_both_days(step: Step) -> None:
    """The entry says which points were to expire when, and when they do now."""
    for entry in step.entries:
        if entry.topic is Topic.EXPIRY_EXTEND:
            old, new = entry.lots
            assert old.valid_through < new.valid_through
            assert old.points == -new.points < 0


def nothing_due_survives_a_write(step: Step) -> None:
    if step.settled_whole:
        _assert_nothing_due(step.after, step.after.as_of)


def nothing_due_is_read(step: Step) -> None:
    _assert_nothing_due(settled(step.after, step.now), max(step.now, step.after.as_of))


def time_never_falls(step: Step) -> None:
    assert step.after.as_of == max(step.now, step.before.as_of)
    at = step.before.last_at
    for entry in step.entries:
        assert at <= entry.at <= entry.recorded_at == step.after.as_of
        at = entry.at
    assert step.after.last_at == at


def the_soonest_expiring_go_first(step: Step) -> None:
    """What is spent, held or removed leaves no free lot behind that lapses sooner.

    But an import that is undone: it takes the points of its own row.
    """
    lots = step.before.lots
    for entry in step.entries:
        lots = added(lots, entry.lots)
        taken = [lot.valid_through for lot in entry.lots if lot.points < 0]
        renewed = any(lot.points > 0 for lot in entry.lots)
        undoes = entry.topic is Topic.SUB_MANUAL and Bucket.REVERSED in dict(entry.moves)
        spends = entry.topic in SPENDING and not undoes
        if spends and taken and lots and not renewed:
            assert max(taken) <= lots[0].valid_through, entry


def figures_of_the_last_entry_are_the_accounts(step: Step) -> None:
    if step.entries:
        assert step.entries[-1].figures == step.after.figures


def lapsed_lots_have_expired(step: Step) -> None:
    assert total(step.after.lapsed) <= step.after.balances.expired


def a_tombstone_is_empty(step: Step) -> None:
    if step.after.merged_into is not None:
        assert step.after.balances == Balances()
        assert not step.after.lots
        assert step.after.hold is None


INVARIANTS: tuple[Callable[[Step], None], ...] = (
    buckets_sum_to_zero,
    lifetime_is_what_was_ever_approved,
    lifetime_never_falls,
    total_is_approved_and_pending,
    debt_means_no_free_lot,
    entries_alone_change_the_balances,
    entries_are_gapless,
    every_write_is_counted,
    entries_name_their_lots,
    an_extension_has_both_days,
    nothing_due_survives_a_write,
    nothing_due_is_read,
    time_never_falls,
    the_soonest_expiring_go_first,
    figures_of_the_last_entry_are_the_accounts,
    lapsed_lots_have_expired,
    a_tombstone_is_empty,
)


class HoldsResolveOnce:
    """A hold is spent once at most and given back once at most, and never after it is over."""

    def __init__(self) -> None:
        self.ends: Counter[tuple[Topic, str]] = Counter()
        self.over: set[str] = set()

    def check(self, step: Step) -> None:
        """Follow the open hold through the entries of one write."""
        open_hold = step.before.hold.hold_id if step.before.hold else None
        held = step.before.figures.hold
        for entry in step.entries:
            if entry.topic is Topic.SUB_HOLD and entry.figures.hold > held:
                assert open_hold is None
                open_hold = entry.about
                assert open_hold not in self.over
            elif entry.topic in (Topic.ADD_HOLD, Topic.HOLD_SPENT):
                assert open_hold is not None
                self.ends[entry.topic, open_hold] += 1
                assert self.ends[entry.topic, open_hold] == 1, f"{open_hold} ended twice"
                if entry.figures.hold == 0:
                    self.over.add(open_hold)
                    open_hold = None
            held = entry.figures.hold
        assert open_hold == (step.after.hold.hold_id if step.after.hold else None)


def _by_bucket(entry: Entry) -> list[int]:
    moves = dict(entry.moves)
    return [moves.get(bucket, 0) for bucket in Bucket]


def _assert_nothing_due(account: Account, instant: datetime) -> None:
    assert account.hold is None or instant < account.hold.ends_at
    for lot in account.lots:
        lapse = lapses_at(lot.valid_through, account.time_zone)
        assert lapse is None or instant < lapse, lot
