"""The movements that commands are made of: each adds one entry to a draft."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from pointbook.domain.account import HoldRecord, OrphanedCode
from pointbook.domain.buckets import Bucket, transfer
from pointbook.domain.commands import ReverseImport
from pointbook.domain.draft import Draft
from pointbook.domain.entry import Topic
from pointbook.domain.expiry import NEVER, ExpiryRule, Rolling
from pointbook.domain.lots import Lot, Lots, added, negated, take, total
from pointbook.domain.orders import DebtPolicy, Order
from pointbook.domain.refusal import Code, Refusal


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command changed besides the account, and alarms for the operator."""

    order: Order | None = None
    record: HoldRecord | None = None
    alarms: tuple[str, ...] = ()
    orphaned_codes: tuple[OrphanedCode, ...] = ()


DONE = Outcome()


def approve(
    draft: Draft, source: Bucket, points: int, expiry: ExpiryRule, topic: Topic, about: str
) -> Lot:
    """Approve points from `issued` or `pending`. Returns the lot they make."""
    lot = Lot(draft.valid_through(expiry), points)
    renew = expiry if isinstance(expiry, Rolling) else None
    draft.add_entry(
        topic,
        transfer(source, Bucket.APPROVED, points),
        about=about,
        lots=draft.credited((lot,), draft.now, renew),
    )
    return lot


def promise(draft: Draft, points: int, about: str) -> None:
    """Points become pending: issued → pending."""
    draft.add_entry(Topic.PENDING_ADD, transfer(Bucket.ISSUED, Bucket.PENDING, points), about=about)


def withdraw(draft: Draft, points: int, about: str) -> None:
    """Pending points are cancelled: pending → cancelled."""
    moves = transfer(Bucket.PENDING, Bucket.CANCELLED, points)
    draft.add_entry(Topic.PENDING_CANCEL, moves, about=about)


def debit(
    draft: Draft,
    points: int,
    target: Bucket,
    topic: Topic,
    renew: Rolling | None = None,
    about: str = "",
) -> Outcome | Refusal:
    """Use up approved points, the soonest-expiring first; refused if there are too few."""
    if points > draft.account.balances.approved:
        return insufficient(draft, points)
    _, left = take(draft.account.lots, points)
    moves = transfer(Bucket.APPROVED, target, points)
    draft.add_entry(topic, moves, about=about, lots=draft.renewed(left, renew))
    return DONE


def extend_expiry(draft: Draft, old_day: date, new_day: date) -> Outcome | Refusal:
    """Move the free lot of one day to a later one; its entry has both days and no moves."""
    lots = draft.account.lots
    lot = next((one for one in lots if one.valid_through == old_day), None)
    if lot is None:
        return _no_lot(old_day, lots)
    draft.add_entry(
        Topic.EXPIRY_EXTEND,
        (),
        lots=added(lots, (Lot(old_day, -lot.points), Lot(new_day, lot.points))),
    )
    return DONE


def reverse_import(draft: Draft, command: ReverseImport) -> Outcome | Refusal:
    """Undo an imported row's entry as far as its points are still there; see `ReverseImport`."""
    if command.was_removal:
        return _return_removed(draft, command)
    lapsed = total(lot for lot in command.lots if draft.has_lapsed(lot, draft.now))
    points = min(command.points - lapsed, total(draft.account.lots))
    if points:
        days = [lot.valid_through for lot in command.lots]
        _, left = take(draft.account.lots, points, first=days)
        moves = transfer(Bucket.APPROVED, Bucket.REVERSED, points)
        draft.add_entry(Topic.SUB_MANUAL, moves, about=command.about, lots=left)
    return DONE


def _return_removed(draft: Draft, command: ReverseImport) -> Outcome | Refusal:
    if command.points > (removed := draft.account.balances.removed):
        message = f"{command.points:,} points cannot come back: only {removed:,} were removed."
        return Refusal(Code.NOT_REMOVED, message)
    draft.add_entry(
        Topic.ADD_MANUAL,
        transfer(Bucket.REMOVED, Bucket.APPROVED, command.points),
        about=command.about,
        lots=draft.credited(command.lots, draft.now),
    )
    return DONE


def reverse(
    draft: Draft, points: int, own_days: Collection[date], policy: DebtPolicy, about: str
) -> int:
    """Take points back after a refund, the grant's own lots first; the rest is owed or waived.

    Returns how many were taken.
    """
    if policy is DebtPolicy.CLAMP:
        points = min(points, total(draft.account.lots))
    if points == 0:
        return 0
    _, left = take(draft.account.lots, points, first=own_days)
    draft.add_entry(
        Topic.SUB_REFUND,
        transfer(Bucket.APPROVED, Bucket.REVERSED, points),
        about=about,
        lots=left,
    )
    return points


def give_back(
    draft: Draft,
    points: int,
    lots: Lots,
    expiry: ExpiryRule,
    lapsed_expiry: ExpiryRule | None,
    about: str,
) -> Lots | Refusal:
    """Return spent points to their lots; those that came from no lot get a new one.

    Returns the lots they are in now, after repaying any debt. Those past their last day expire when
    the account is next settled.
    """
    if points > (spent := draft.account.balances.spent):
        message = f"{points:,} points cannot be given back: only {spent:,} were spent."
        return Refusal(Code.NOT_SPENT, message)
    from_no_lot = points - total(lots)
    assert from_no_lot >= 0, f"{lots} are more than the {points} points to give back"
    returning = draft.returning(lots, draft.now, lapsed_expiry)
    new_lot = (Lot(draft.valid_through(expiry), from_no_lot),) if from_no_lot else ()
    credit = added(returning, new_lot)
    _, left_after_debt = take(credit, draft.account.debt)
    draft.add_entry(
        Topic.ADD_REFUND,
        transfer(Bucket.SPENT, Bucket.APPROVED, points),
        about=about,
        lots=draft.credited(credit, draft.now),
    )
    return left_after_debt


def spend_again(
    draft: Draft,
    points: int,
    lots: Lots,
    topic: Topic,
    about: str,
    *,
    renew: Rolling | None = None,
    first: Collection[date] = (),
) -> Lots:
    """Spend points that had come back into `lots`, whatever has become of them since.

    Expired points of these lots go first, then free ones (of the days in `first` before others);
    what is missing becomes a debt. Returns the lots they are taken from.
    """
    expired = _expired_since(draft, lots, points)
    if expired:
        draft.add_entry(
            Topic.EXPIRED_SPENT,
            transfer(Bucket.EXPIRED, Bucket.SPENT, total(expired)),
            about=about,
            lots=draft.renewed(draft.account.lots, renew),
            lapsed=added(draft.account.lapsed, negated(expired)),
        )
    missing = points - total(expired)
    taken, left = take(draft.account.lots, missing, first)
    if missing:
        draft.add_entry(
            topic,
            transfer(Bucket.APPROVED, Bucket.SPENT, missing),
            about=about,
            lots=draft.renewed(left, renew),
        )
    return added(expired, taken)


def _expired_since(draft: Draft, lots: Lots, points: int) -> Lots:
    """Which points of these lots have expired meanwhile, at most `points`."""
    lapsed = {lot.valid_through: lot.points for lot in draft.account.lapsed}
    expired = tuple(
        Lot(lot.valid_through, min(lot.points, lapsed[lot.valid_through]))
        for lot in lots
        if lot.valid_through in lapsed
    )
    return take(expired, min(points, total(expired)))[0]


def _no_lot(day: date, lots: Lots) -> Refusal:
    days = ", ".join(
        "never" if one.valid_through == NEVER else str(one.valid_through) for one in lots[:10]
    )
    there = f"points to spend expire on {days}" if days else "the customer has no points to spend"
    return Refusal(Code.LOT_NOT_FOUND, f"No points to spend expire on {day}: {there}.")


def insufficient(draft: Draft, points: int) -> Refusal:
    """The refusal: there are too few approved points."""
    approved = draft.account.balances.approved
    message = f"The customer has {approved:,} points to spend, but {points:,} are needed."
    return Refusal(Code.INSUFFICIENT_POINTS, message)
