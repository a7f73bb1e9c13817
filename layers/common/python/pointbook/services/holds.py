"""The hold service: reserves points for a checkout, with a matching discount, and releases them.

    create:   place the hold ──► create the discount ──► ready: the code is issued
                                     │ failed
                                     └──► undo the hold; list its code, which may still exist,
                                          for deactivation

    release:  mark as releasing ──► deactivate the discount ──► release the points
                                        │ failed
                                        └──► hold and discount end at their own time

The rate limit is checked before each call to Shopify. `TRANSITIONS` in `domain/holds.py` are the
steps possible in each state of a hold. Every step is conditional and repeatable: concurrent
attempts of one request cannot undo a code that was issued, and after a crash the hold expires.
Points never come back while an issued code can still be used. Rules: docs/concepts.md, "Hold".
"""

import hashlib
import hmac
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, Self

from pointbook import log
from pointbook.domain.account import Hold, HoldRecord, HoldState
from pointbook.domain.buckets import Figures
from pointbook.domain.chain import Cause
from pointbook.domain.commands import (
    BeginRelease,
    Command,
    MarkReady,
    PlaceHold,
    ReleaseHold,
    UndoHold,
)
from pointbook.domain.holds import DISCOUNT_NOT_MADE, orphaned
from pointbook.domain.money import decimal_text
from pointbook.domain.ports import Clock
from pointbook.domain.programme import Programme
from pointbook.domain.programme_rules import Master
from pointbook.domain.refusal import Code, Refusal
from pointbook.errors import (
    HoldFailed,
    HoldReleasing,
    RateLimited,
    ShopifyRefused,
    Unavailable,
)
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.page.hold import shown_hold, with_worth
from pointbook.services.ports import Discounts
from pointbook.shopify.discount_code import derive_code, hold_id_of
from pointbook.shopify.discounts import Discount

SOURCE = "my_page"
_LIMITED_NAME_LENGTH = 8

_CODE_TAKEN = "code_taken_by_another"
_NO_USABLE_DISCOUNT = frozenset({_CODE_TAKEN, "currency_mismatch"})
"""Errors after which this hold certainly has no discount, so there is none to deactivate.

After any other error there may be one, created by an earlier or a concurrent attempt.
"""


class CallLimiter(Protocol):
    """Per-minute rate limit on the calls to Shopify that a shop's page causes."""

    def count(self, shop: str, who: str, now: datetime, most: int) -> int:
        """Count one call. Return 0 if it is allowed, else how many seconds to wait."""
        ...


HOLDS_PAUSED = Refusal(
    Code.HOLDS_PAUSED, "Points cannot be used at the moment; they are safe. Please try again later."
)


@dataclass(frozen=True, slots=True)
class HoldResult:
    """A ready hold as the customer sees it; the same for every repetition."""

    hold_id: str
    points: int
    code: str
    amount: str
    currency: str
    ends_at: datetime
    figures: Figures
    repeated: bool


class HoldService:
    """The holds of one shop under its programme."""

    def __init__(
        self,
        *,
        shop: str,
        ledger: Ledger,
        clock: Clock,
        programme: Programme,
        discounts: Discounts,
        call_limiter: CallLimiter,
        code_key: bytes,
    ) -> None:
        """`call_limiter` limits the calls to `discounts`; codes are derived with `code_key`."""
        self._shop = shop
        self._ledger = ledger
        self._clock = clock
        self._programme = programme
        self._discounts = discounts
        self._call_limiter = call_limiter
        self._code_key = code_key
        self._cause = Cause(SOURCE)

    def asked_by(self, cause: Cause) -> Self:
        """The same service for somebody else than the customer.

        The source of `cause` has keys of its own: no request of the customer's is one of theirs.
        """
        other = copy(self)
        other._cause = cause
        other._code_key = hmac.digest(self._code_key, cause.source.encode(), hashlib.sha256)
        return other

    def create(self, customer_id: str, points: int, key: str) -> HoldResult | Refusal:
        """Hold `points` and create their discount; `key` identifies the customer's request.

        Raises HoldFailed if nothing is held because the discount could not be created,
        RateLimited and LedgerUnavailable; repeating the request is safe.
        """
        programme = self._programme
        if programme.points_master is Master.TILL:
            return Refusal(Code.HOLDS_NOT_OFFERED, "Points can only be used in store.")
        code = self._code(customer_id, key)
        command = PlaceHold(
            points=points,
            hold_id=hold_id_of(code),
            seconds=programme.hold_seconds,
            lapsed_expiry=programme.lapsed_expiry,
            code=code,
            worth_minor=programme.point_worth_minor,
            holds_per_hour=programme.holds_per_hour,
        )
        instruction = Instruction(
            shop=self._shop,
            customer_id=customer_id,
            command=command,
            cause=self._cause,
            identity=Identity(f"{self._cause.source}:hold", key),
            content={"customer": customer_id, "points": points},
            time_zone=programme.time_zone,
        )
        preview = self._ledger.preview(instruction)
        checked = isinstance(preview, Booked) and not preview.duplicate
        if programme.holds_paused and (checked or isinstance(preview, Refusal)):
            return HOLDS_PAUSED
        if checked:  # before anything is held
            self._check_rate_limit(customer_id)
        placed = self._ledger.execute(instruction)
        if isinstance(placed, Refusal):
            if placed.code is Code.RATE_LIMITED:
                log.metric("RateLimited", Pace="customer")
            return placed
        hold_id = self._placed_hold_id(placed, command.hold_id)
        return self._make_ready(customer_id, hold_id, placed, rate_limit_checked=checked)

    def release(self, customer_id: str, hold_id: str) -> Figures | Refusal:
        """Release a hold's points to its customer; does nothing if it has ended already.

        Raises HoldReleasing if its discount could not be deactivated: then both end at the hold's
        time. Raises RateLimited, which leaves the hold as it is, and LedgerUnavailable; repeating
        is safe.
        """
        record = self._record(hold_id)
        if record is None or not self._owns(customer_id, record.customer_id):
            return Refusal(Code.HOLD_NOT_FOUND, "There is no such hold.")
        hold = self._open_hold(customer_id, hold_id)
        if hold is None:
            return self._result_of_ended(customer_id, hold_id)
        self._check_rate_limit(customer_id)
        if not self._try_transition(customer_id, BeginRelease(hold_id)):
            return self._result_of_ended(customer_id, hold_id)
        self._deactivate(hold)
        released = self._execute_once(customer_id, ReleaseHold(hold_id), "my_page:release", hold_id)
        if isinstance(released, Refusal):
            return self._result_of_ended(customer_id, hold_id)
        return released.figures

    def shown_open_hold(self, customer_id: str) -> dict[str, Any] | None:
        """The customer's open hold as my page shows it, if there is one."""
        hold = self.open_hold(customer_id)
        if hold is None:
            return None
        shown, record = shown_hold(hold, self._clock.now()), self._record(hold.hold_id)
        return with_worth(shown, record, self._programme.currency, self._shop)

    def open_hold(self, customer_id: str) -> Hold | None:
        """The customer's open hold, as of now."""
        return self._ledger.read(self._shop, customer_id).hold

    def _code(self, customer_id: str, key: str) -> str:
        """The code of a request's hold, the same at every attempt."""
        return derive_code(self._code_key, self._shop, customer_id, key)

    def _check_rate_limit(self, customer_id: str) -> None:
        """Count one call to Shopify. Raises RateLimited if there are too many in this minute."""
        name = hmac.digest(self._code_key, f"pace\n{customer_id}".encode(), hashlib.sha256).hex()
        most = self._programme.hold_calls_per_minute
        wait_seconds = self._call_limiter.count(
            self._shop, name[:_LIMITED_NAME_LENGTH], self._clock.now(), most
        )
        if wait_seconds:
            log.metric("RateLimited", Pace="shop")
            raise RateLimited(wait_seconds)

    def _placed_hold_id(self, placed: Booked, derived: str) -> str:
        """Return the id of the hold that a request placed, now or by an earlier attempt.

        An earlier attempt may have derived it from another secret (a rotation): its entry has it.
        """
        if not placed.duplicate or self._record(derived) is not None:
            return derived
        owner, _, version = placed.entry_ids[-1].rpartition("-")
        entry = self._ledger.entry(self._shop, owner, int(version))
        return entry.entry.about if entry is not None else derived

    def _make_ready(
        self, customer_id: str, hold_id: str, placed: Booked, *, rate_limit_checked: bool
    ) -> HoldResult | Refusal:
        """Complete a hold placed just now or by an earlier attempt of the same request."""
        hold = self._open_hold(customer_id, hold_id)
        if hold is not None and hold.state is HoldState.PREPARING:
            if not rate_limit_checked:
                self._check_rate_limit(customer_id)
            hold = self._with_discount(customer_id, hold)
        if hold is None or hold.state is not HoldState.READY:
            return self._ended_refusal(hold_id)
        return self._result(hold, placed)

    def _result(self, hold: Hold, placed: Booked) -> HoldResult:
        """A hold as its customer sees it."""
        record = self._record_of(hold)
        currency = self._programme.currency
        return HoldResult(
            hold_id=hold.hold_id,
            points=record.points,
            code=hold.code,
            amount=decimal_text(record.points * record.worth_minor, currency),
            currency=currency,
            ends_at=hold.ends_at,
            figures=placed.figures,
            repeated=placed.duplicate,
        )

    def _with_discount(self, customer_id: str, hold: Hold) -> Hold | None:
        """The hold after creating its discount, or as another attempt of the request left it."""
        try:
            self._discounts.create(self._discount(hold))
        except (ShopifyRefused, Unavailable) as error:
            return self._without_discount(customer_id, hold, error)
        if not self._try_transition(customer_id, MarkReady(hold.hold_id)):
            self._list_orphaned(hold)  # it was undone, or its time is over
        return self._open_hold(customer_id, hold.hold_id)

    def _without_discount(
        self, customer_id: str, hold: Hold, error: ShopifyRefused | Unavailable
    ) -> Hold | None:
        """Undo the hold, unless a concurrent attempt has made it ready in the meantime."""
        certain = isinstance(error, ShopifyRefused) and error.certain
        log.warning("discount_not_made", hold_id=hold.hold_id, certain=certain, reason=str(error))
        log.metric("DiscountsNotMade")
        log.metric("DiscountsNotMade", Certain=str(certain))
        undo = UndoHold(hold.hold_id, code_in_doubt=_may_have_discount(error))
        cause = replace(self._cause, actor=DISCOUNT_NOT_MADE)
        undone = self._execute_once(customer_id, undo, "my_page:undo", hold.hold_id, cause)
        if isinstance(undone, Refusal):
            still_open = self._open_hold(customer_id, hold.hold_id)
            if still_open is not None and still_open.state is HoldState.READY:
                return still_open
            if undo.code_in_doubt:
                self._list_orphaned(hold)
                return None
        raise HoldFailed(may_be_retried=_may_be_retried(error)) from error

    def _list_orphaned(self, hold: Hold) -> None:
        """List the code of an ended hold for deactivation. Returns only if an order has used it.

        Raises HoldFailed otherwise.
        """
        self._ledger.add_orphaned_codes(self._shop, orphaned(hold))
        if self._captured_refusal(hold.hold_id) is None:
            raise HoldFailed

    def _deactivate(self, hold: Hold) -> None:
        """Return once no checkout takes the hold's code, now or later. Raises HoldReleasing."""
        try:
            existed = self._discounts.deactivate(hold.code)
        except (ShopifyRefused, Unavailable) as error:
            raise self._release_pending_error(hold, type(error).__name__) from error
        if not existed and hold.state is not HoldState.READY:
            raise self._release_pending_error(hold, "its discount may still be on its way")

    def _discount(self, hold: Hold) -> Discount:
        record = self._record_of(hold)
        return Discount(
            code=hold.code,
            points=hold.points,
            amount_minor=hold.points * record.worth_minor,
            currency=self._programme.currency,
            customer_id=record.customer_id,
            starts_at=self._clock.now(),
            ends_at=hold.ends_at,
            hold_id=hold.hold_id,
            combines_with=self._programme.combines_with,
        )

    def _result_of_ended(self, customer_id: str, hold_id: str) -> Figures | Refusal:
        """The result for a hold that is no longer open."""
        refusal = self._captured_refusal(hold_id)
        return refusal or self._ledger.read(self._shop, customer_id).figures

    def _ended_refusal(self, hold_id: str) -> Refusal:
        """The refusal of a repeated request whose hold has ended."""
        return self._captured_refusal(hold_id) or Refusal(
            Code.HOLD_ENDED,
            "This hold has ended, or its discount could not be made. Send a new Idempotency-Key"
            " to hold points again.",
        )

    def _captured_refusal(self, hold_id: str) -> Refusal | None:
        record = self._record(hold_id)
        if record is None or not record.orders:
            return None
        return Refusal(Code.HOLD_CAPTURED, "These points were used by an order.")

    def _open_hold(self, customer_id: str, hold_id: str) -> Hold | None:
        hold = self.open_hold(customer_id)
        return hold if hold is not None and hold.hold_id == hold_id else None

    def _owns(self, customer_id: str, holder_id: str) -> bool:
        """Whether both ids now belong to the same customer (after a merge)."""
        if customer_id == holder_id:
            return True
        first, second = (self._ledger.read(self._shop, one) for one in (customer_id, holder_id))
        return first.customer_id == second.customer_id

    def _try_transition(self, customer_id: str, command: MarkReady | BeginRelease) -> bool:
        """Execute a command that moves no points; False if it was refused."""
        instruction = Instruction(self._shop, customer_id, command, self._cause)
        return isinstance(self._ledger.execute(instruction), Booked)

    def _execute_once(
        self,
        customer_id: str,
        command: Command,
        kind: str,
        hold_id: str,
        cause: Cause | None = None,
    ) -> Booked | Refusal:
        """Execute a command that moves points, once for each hold, whoever asks."""
        return self._ledger.execute(
            Instruction(
                shop=self._shop,
                customer_id=customer_id,
                command=command,
                cause=cause or self._cause,
                identity=Identity(kind, hold_id),
            )
        )

    def _record(self, hold_id: str) -> HoldRecord | None:
        return self._ledger.hold_record(self._shop, hold_id)

    def _record_of(self, hold: Hold) -> HoldRecord:
        record = self._record(hold.hold_id)
        assert record is not None, f"hold {hold.hold_id} was placed without its record"
        return record

    def _release_pending_error(self, hold: Hold, reason: str) -> HoldReleasing:
        log.warning("discount_not_switched_off", hold_id=hold.hold_id, reason=reason)
        log.metric("DiscountsNotSwitchedOff")
        left = hold.ends_at - self._clock.now()
        return HoldReleasing(retry_after_seconds=max(1, min(30, int(left.total_seconds()))))


def _may_be_retried(error: ShopifyRefused | Unavailable) -> bool:
    """Whether another request may succeed: what Shopify refuses is a setting of the shop.

    But for a code that is taken: another request has another code.
    """
    return not isinstance(error, ShopifyRefused) or error.code == _CODE_TAKEN


def _may_have_discount(error: ShopifyRefused | Unavailable) -> bool:
    """Whether a hold may have a discount although creating it has failed with this error."""
    return error.code not in _NO_USABLE_DISCOUNT
