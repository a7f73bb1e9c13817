"""A draft of a decision: an account, and the entries added to it so far."""

from dataclasses import replace
from datetime import date, datetime

from pointbook.domain.account import LAPSED_DAYS_MAX, Account, Hold
from pointbook.domain.buckets import Bucket, Moves, transfer
from pointbook.domain.entry import Entry, Topic
from pointbook.domain.expiry import (
    NEVER,
    ExpiryRule,
    Rolling,
    day_of,
    lapse_instant,
    last_valid_day,
)
from pointbook.domain.lots import Lot, Lots, added, bounded, negated, renewed, take, total


class Draft:
    """Applies movements to an account one after the other; each becomes one entry.

    `now` is never before the account's `as_of`: a slow clock undoes nothing.
    """

    def __init__(self, account: Account, now: datetime) -> None:
        """Begin with `account` as stored, at the aware instant `now`."""
        self.now = max(now, account.as_of)
        self.account = account
        self.entries: list[Entry] = []

    def add_entry(
        self,
        topic: Topic,
        moves: Moves,
        *,
        at: datetime | None = None,
        about: str = "",
        lots: Lots | None = None,
        lapsed: Lots | None = None,
        hold: Hold | None = None,
    ) -> None:
        """Change the account by one movement and add its entry.

        `lots` and `lapsed` stay as they are unless given. After a movement of held points `hold` is
        what remains of the hold; other movements leave it alone.
        """
        before = self.account
        at = at or self.now
        moves_hold = any(bucket is Bucket.HOLD for bucket, _ in moves)
        after = replace(
            before,
            version=before.version + 1,
            last_at=at,
            balances=before.balances.moved(moves),
            lots=before.lots if lots is None else lots,
            lapsed=before.lapsed if lapsed is None else lapsed,
            hold=hold if moves_hold else before.hold,
        )
        self.account = after
        self.entries.append(
            Entry(
                customer_id=after.customer_id,
                version=after.version,
                topic=topic,
                at=at,
                recorded_at=self.now,
                moves=moves,
                lots=added(after.lots, negated(before.lots)),
                held_lots=added(_held(after), negated(_held(before))),
                figures=after.figures,
                about=about,
            )
        )

    def settle(self, entries_max: int | None = None) -> None:
        """Add the entries that have fallen due by now, in the order in which they fell due.

        If a hold ends and a lot lapses at one instant, the hold comes first: what it returns
        lapses too. All that lapses at one instant is one entry. Stops at `entries_max` entries, if
        given.
        """
        while entries_max is None or len(self.entries) < entries_max:
            hold_end, next_lapse = self.account.hold_end, self.account.next_lapse
            due = min((at for at in (hold_end, next_lapse) if at is not None), default=None)
            if due is None or due > self.now:
                return
            at = max(due, self.account.last_at)
            if due == hold_end:
                self.release_hold(at)
            else:
                self.expire(at)

    def release_hold(self, at: datetime, renew: Rolling | None = None) -> None:
        """Return the open hold's points to the lots they came from."""
        hold = self.account.hold
        assert hold is not None, "there is no hold to release"
        self.add_entry(
            Topic.ADD_HOLD,
            transfer(Bucket.HOLD, Bucket.APPROVED, hold.points),
            at=at,
            about=hold.hold_id,
            lots=self.credited(self.returning(hold.lots, at, hold.lapsed_expiry), at, renew),
        )

    def expire(self, at: datetime) -> None:
        """Expire every lot that has lapsed by `at`, in one entry.

        The account keeps the latest of these lots in `lapsed`, for late orders.
        """
        lots = self.account.lots
        lapsed = tuple(lot for lot in lots if self.has_lapsed(lot, at))
        self.add_entry(
            Topic.SUB_EXPIRE,
            transfer(Bucket.APPROVED, Bucket.EXPIRED, total(lapsed)),
            at=at,
            lots=lots[len(lapsed) :],
            lapsed=added(self.account.lapsed, lapsed)[-LAPSED_DAYS_MAX:],
        )

    def credited(self, credit: Lots, at: datetime, renew: Rolling | None = None) -> Lots:
        """The free lots after a credit at `at`: its soonest-expiring points repay any debt first.

        Lapsed lots are neither renewed nor joined with a later day: settling expires them next.
        """
        _, rest = take(credit, self.account.debt)
        lots = added(self.account.lots, rest)
        lapsed = tuple(lot for lot in lots if self.has_lapsed(lot, at))
        return (*lapsed, *bounded(self.renewed(lots[len(lapsed) :], renew)))

    def renewed(self, lots: Lots, renew: Rolling | None) -> Lots:
        """The lots after an activity of the customer; unchanged unless expiry is rolling."""
        return renewed(lots, self.valid_through(renew)) if renew else lots

    def returning(self, lots: Lots, at: datetime, lapsed_expiry: ExpiryRule | None) -> Lots:
        """Lots as they come back at `at`: a lapsed lot gets a new day by `lapsed_expiry`.

        Without that rule it keeps its day, and the next settling expires it.
        """
        if lapsed_expiry is None:
            return lots
        new_day = last_valid_day(lapsed_expiry, day_of(at, self.account.time_zone))
        return added(
            (), (Lot(new_day, lot.points) if self.has_lapsed(lot, at) else lot for lot in lots)
        )

    def has_lapsed(self, lot: Lot, at: datetime) -> bool:
        """Whether a lot no longer counts at `at`."""
        day = lot.valid_through
        return day != NEVER and lapse_instant(day, self.account.time_zone) <= at

    def valid_through(self, rule: ExpiryRule) -> date:
        """The last valid day of points granted now."""
        return last_valid_day(rule, self.today)

    @property
    def today(self) -> date:
        """The day in the account's calendar."""
        return day_of(self.now, self.account.time_zone)


def _held(account: Account) -> Lots:
    return account.hold.lots if account.hold else ()
