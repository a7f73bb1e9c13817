"""The bugs that are planted in what makes and ends the discounts of holds, one at a time.

Every guard is taken away alone. What only the ledger's own parts do is planted in `store_bugs` and
`domain_bugs`.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from pointbook.domain import holds as hold_rules
from pointbook.domain import merge as merge_rules
from pointbook.domain.account import HoldState
from pointbook.domain.commands import BeginRelease, CaptureHold, ReleaseHold, UndoHold
from pointbook.domain.draft import Draft
from pointbook.domain.merge import Merged
from pointbook.errors import HoldFailed, HoldReleasing, ShopifyRefused, Unavailable
from pointbook.services import holds
from pointbook.services.holds import HoldResult, HoldService
from pointbook.services.orders import OrderService
from pointbook.services.orphaned_codes import OrphanedCodeService
from pointbook.shopify import discounts, orders
from pointbook.shopify.admin import AdminApi
from pointbook.shopify.discounts import Discount, Discounts
from pointbook.store.orphaned_codes import OrphanedCodes
from pointbook.store.window_counter import WindowCounter
from tests.simulation.mutations.planted import Bug

type Original = Callable[..., Any]

BEFORE_THE_END: Final = timedelta(seconds=400)


# --- the service -------------------------------------------------------------------------------


def _unless_shopify_failed(original: Original, service: HoldService, hold: Any) -> None:
    try:
        original(service, hold)
    except HoldReleasing as releasing:
        if releasing.__cause__ is None:
            raise


def _with_points_back(
    original: Original, service: HoldService, customer_id: str, command: Any
) -> bool:
    succeeded: bool = original(service, customer_id, command)
    if isinstance(command, BeginRelease) and succeeded:
        release = ReleaseHold(command.hold_id)
        service._execute_once(customer_id, release, "my_page:release", command.hold_id)
    return succeeded


def _given_out_in_any_state(
    original: Original,
    service: HoldService,
    customer_id: str,
    hold_id: str,
    taken: Any,
    **options: Any,
) -> Any:
    answer = original(service, customer_id, hold_id, taken, **options)
    hold = service._open_hold(customer_id, hold_id)
    return (
        answer if isinstance(answer, HoldResult) or hold is None else service._result(hold, taken)
    )


def _failed_whatever_a_rival_did(original: Original, *args: Any) -> Any:
    if original(*args) is not None:
        raise HoldFailed


def _of_another_amount(original: Original, service: HoldService, hold: Any) -> Discount:
    discount: Discount = original(service, hold)
    return replace(discount, amount_minor=discount.amount_minor + 1)


def _with_later_figures(
    original: Original, service: HoldService, customer_id: str, *args: Any, **kwargs: Any
) -> Any:
    answer = original(service, customer_id, *args, **kwargs)
    figures = service._ledger.read(service._shop, customer_id).figures
    return replace(answer, figures=figures) if isinstance(answer, HoldResult) else answer


def _is_in_state(service: HoldService, customer_id: str, *states: HoldState) -> bool:
    hold = service.open_hold(customer_id)
    return hold is not None and hold.state in states


# --- the list ----------------------------------------------------------------------------------


def _removed_after_one_answer(
    original: Original, service: OrphanedCodeService, shop: str, orphaned: Any, tries: int
) -> None:
    original(service, shop, orphaned, tries)
    service._codes.remove(shop, orphaned)


def _removed_without_an_answer(
    original: Original, service: OrphanedCodeService, shop: str, orphaned: Any, tries: int
) -> None:
    try:
        original(service, shop, orphaned, tries)
    except (ShopifyRefused, Unavailable):
        service._codes.remove(shop, orphaned)
        raise


def _removed_too_early(
    original: Original, service: OrphanedCodeService, shop: str, orphaned: Any, tries: int
) -> None:
    if service._clock.now() + BEFORE_THE_END >= orphaned.until:
        service._codes.remove(shop, orphaned)
    else:
        original(service, shop, orphaned, tries)


# --- the rules ---------------------------------------------------------------------------------


def _undone_when_ready(original: Original, draft: Draft, command: Any) -> Any:
    hold = draft.account.hold
    if isinstance(command, UndoHold) and hold is not None and hold.state is HoldState.READY:
        draft.account = replace(draft.account, hold=replace(hold, state=HoldState.PREPARING))
    return original(draft, command)


def _without_the_code(original: Original, *args: Any) -> Any:
    merged = original(*args)
    return replace(merged, orphaned_codes=()) if isinstance(merged, Merged) else merged


# --- Shopify -----------------------------------------------------------------------------------


def _taken_by_another(*_: Any) -> str:
    raise ShopifyRefused("Code must be unique.", ("TAKEN",))


# --- orders ------------------------------------------------------------------------------------


def _all_of_the_hold(
    original: Original, service: OrderService, owner: str, command: Any, *why: Any
) -> Any:
    if isinstance(command, CaptureHold):
        record = service._ledger.hold_record(service._shop, command.hold_id)
        command = replace(command, points=record.points) if record else command
    return original(service, owner, command, *why)


HOLD_BUGS: Final = (
    # --- the service ---
    Bug(
        "an undone hold's code is never listed",
        holds._may_have_discount,
        lambda original, error: False,
    ),
    Bug(
        "earlier attempts are not considered when a hold is undone",
        holds._may_have_discount,
        lambda original, error: not (isinstance(error, ShopifyRefused) and error.certain),
    ),
    Bug(
        "released although the code may still come",
        HoldService._deactivate,
        lambda original, service, hold: original(
            service,
            replace(hold, state=HoldState.READY) if hold.state is HoldState.RELEASING else hold,
        ),
    ),
    Bug(
        "released even if Shopify has never seen the code",
        HoldService._deactivate,
        lambda original, service, hold: original(service, replace(hold, state=HoldState.READY)),
    ),
    Bug(
        "released although Shopify does not answer",
        HoldService._deactivate,
        _unless_shopify_failed,
    ),
    Bug("points back before the code is off", HoldService._try_transition, _with_points_back),
    Bug(
        "the code is given out before it is ready",
        HoldService._make_ready,
        _given_out_in_any_state,
    ),
    Bug(
        "a hold that a rival made ready is said to have failed",
        HoldService._without_discount,
        _failed_whatever_a_rival_did,
    ),
    Bug(
        "a discount of another amount",
        HoldService._discount,
        _of_another_amount,
    ),
    Bug(
        "a discount for another customer",
        HoldService._discount,
        lambda original, service, hold: replace(original(service, hold), customer_id="7009"),
    ),
    Bug(
        "figures of the moment, not those of the hold",
        HoldService._make_ready,
        _with_later_figures,
    ),
    Bug(
        "another code at every attempt",
        HoldService._code,
        lambda original, service, customer_id, key: original(
            service, customer_id, f"{key}{service._clock.now()}"
        ),
    ),
    # --- the rate limit ---
    Bug(
        "one call more in a minute",
        WindowCounter.add,
        lambda original, counter, key, now, limits: original(
            counter, key, now, {name: most + (name == "calls") for name, most in limits.items()}
        ),
    ),
    Bug(
        "one call more for a customer",
        WindowCounter.add,
        lambda original, counter, key, now, limits: original(
            counter, key, now, {name: most + (name != "calls") for name, most in limits.items()}
        ),
    ),
    Bug(
        "a customer who begins a minute is not counted",
        WindowCounter._begin,
        lambda original, counter, first, bounds, is_there: original(
            counter,
            {name: value for name, value in first.items() if not name.startswith("by_")},
            bounds,
            is_there=is_there,
        ),
    ),
    Bug(
        "a minute that does not end",
        WindowCounter.add,
        lambda original, counter, *args: original(
            replace(counter, length=100 * counter.length), *args
        ),
    ),
    Bug(
        "a repetition calls Shopify uncounted",
        HoldService._make_ready,
        lambda original, *args, rate_limit_checked: original(*args, rate_limit_checked=True),
    ),
    Bug(
        "a new hold calls Shopify uncounted",
        HoldService._check_rate_limit,
        lambda original, service, customer_id: (
            original(service, customer_id)
            if _is_in_state(service, customer_id, *HoldState)
            else None
        ),
    ),
    Bug(
        "a release calls Shopify uncounted",
        HoldService._check_rate_limit,
        lambda original, service, customer_id: (
            None
            if _is_in_state(service, customer_id, HoldState.READY, HoldState.RELEASING)
            else original(service, customer_id)
        ),
    ),
    # --- the list ---
    Bug(
        "off the list although the code may still come",
        OrphanedCodeService._attempt,
        _removed_after_one_answer,
    ),
    Bug(
        "off the list although Shopify did not answer",
        OrphanedCodeService._attempt,
        _removed_without_an_answer,
    ),
    Bug("never off the list", OrphanedCodes.remove, lambda original, codes, shop, code: None),
    Bug("off the list before the code has ended", OrphanedCodeService._attempt, _removed_too_early),
    # --- the rules ---
    Bug("undone while the customer has the code", hold_rules.transition, _undone_when_ready),
    Bug(
        "an orphaned code is listed without the code",
        hold_rules.orphaned,
        lambda original, hold: tuple(replace(one, code="") for one in original(hold)),
    ),
    Bug(
        "a merge forgets the code",
        merge_rules.merge,
        _without_the_code,
    ),
    # --- Shopify ---
    Bug(
        "a code that outlives its hold",
        discounts.discount_input,
        lambda original, discount: original(
            replace(discount, ends_at=discount.ends_at + timedelta(seconds=1))
        ),
    ),
    Bug("a code that exists is not looked up", Discounts._id_if_same_discount, _taken_by_another),
    Bug(
        "switched off without being deactivated",
        Discounts._deactivate,
        lambda original, *_: None,
    ),
    Bug(
        "a code that may be used twice",
        discounts.discount_input,
        lambda original, discount: original(discount) | {"usageLimit": 2},
    ),
    # --- orders ---
    Bug(
        "a code in lower case belongs to no hold",
        orders._code_uses,
        lambda original, order, currency: tuple(
            use
            for use in original(order, currency)
            if use.code in {discount_code.code for discount_code in order.discount_codes}
        ),
    ),
    Bug("an order spends all that was held", OrderService._execute, _all_of_the_hold),
)

HARMLESS_TO_HOLDS: Final = (
    Bug(
        "shorter pauses between attempts",
        OrphanedCodes.reschedule,
        lambda original, codes, shop, code, tries, next_attempt_at: original(
            codes, shop, code, tries, next_attempt_at - timedelta(seconds=10)
        ),
    ),
    Bug(
        "less time for Shopify",
        AdminApi.deadline,
        lambda original, admin, within_seconds: original(admin, within_seconds - 1),
    ),
)
