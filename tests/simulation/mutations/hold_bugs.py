"""The bugs that are planted in what makes and ends the discounts of holds, one at a time.

As in `bugs`: every guard is taken away alone. What only the ledger's own parts do is planted there.
"""

from typing import Final

from tests.simulation.mutations.bugs import Bug

SERVICE: Final = "services/holds.py"
PACE: Final = "store/pace.py"
WINDOW_COUNTER: Final = "store/window_counter.py"
LOOSE: Final = "services/orphaned_codes.py"
ORPHANED_STORE: Final = "store/orphaned_codes.py"
DOMAIN: Final = "domain/holds.py"
MERGE: Final = "domain/merge.py"
DISCOUNTS: Final = "shopify/discounts.py"
ORDER_SERVICE: Final = "services/orders.py"

HOLD_BUGS: Final = (
    # --- the desk ---
    Bug(
        "an undone hold's code is never listed",
        SERVICE,
        "code_in_doubt=error.code not in _NO_DISCOUNT_OF_OURS",
        "code_in_doubt=False",
    ),
    Bug(
        "undone without a thought of earlier tries",
        SERVICE,
        "code_in_doubt=error.code not in _NO_DISCOUNT_OF_OURS",
        "code_in_doubt=not certain",
    ),
    Bug(
        "released although the code may still come",
        SERVICE,
        "if not existed and hold.state is not HoldState.READY:",
        "if not existed and hold.state is HoldState.PREPARING:",
    ),
    Bug(
        "released whatever Shopify knows",
        SERVICE,
        "if not existed and hold.state is not HoldState.READY:",
        "if points_back := False:",
    ),
    Bug(
        "released although Shopify does not answer",
        SERVICE,
        "raise self._releasing(hold, type(error).__name__) from error",
        "existed = True",
    ),
    Bug(
        "points back before the code is off",
        SERVICE,
        "            existed = self._discounts.switch_off(hold.code)\n",
        "            self._move(customer_id, ReleaseHold(hold_id), 'my_page:release', hold_id)\n"
        "            existed = self._discounts.switch_off(hold.code)\n",
    ),
    Bug(
        "the code is told before it is ready",
        SERVICE,
        "if hold is None or hold.state is not HoldState.READY:",
        "if hold is None:",
    ),
    Bug(
        "a hold that a rival made ready is said to have failed",
        SERVICE,
        "still_open is not None and still_open.state is HoldState.READY",
        "still_open is None and hold.state is HoldState.READY",
    ),
    Bug(
        "a discount of another amount",
        SERVICE,
        "amount_minor=hold.points * record.worth_minor",
        "amount_minor=hold.points * record.worth_minor + 1",
    ),
    Bug(
        "a discount for whoever asks",
        SERVICE,
        "customer_id=record.customer_id,\n            starts_at",
        "customer_id='7009',\n            starts_at",
    ),
    Bug(
        "figures of the moment, not those of the hold",
        SERVICE,
        "figures=taken.figures",
        "figures=self._ledger.read(self._shop, customer_id).figures",
    ),
    Bug(
        "another code at every try",
        SERVICE,
        "derive_code(self._code_key, self._shop, customer_id, key)",
        "derive_code(self._code_key, self._shop, customer_id, key + str(self._clock.now()))",
    ),
    # --- the pace ---
    Bug("one call more in a minute", PACE, '{"calls": most,', '{"calls": most + 1,'),
    Bug("one call more for a customer", PACE, "-(-most // SHARE)", "1 - (-most // SHARE)"),
    Bug(
        "a customer who begins a minute is not counted",
        WINDOW_COUNTER,
        "dict.fromkeys(limits, number(1))",
        "dict.fromkeys(list(limits)[:1], number(1))",
    ),
    Bug("a minute that lasts", PACE, "minutes=1", "minutes=100"),
    Bug(
        "a repetition calls Shopify uncounted",
        SERVICE,
        "            if not counted:\n",
        "            if not hold:\n",
    ),
    Bug(
        "a new hold calls Shopify uncounted",
        SERVICE,
        "        if counted:  # before anything is held\n",
        "        if not counted:\n",
    ),
    Bug(
        "a release calls Shopify uncounted",
        SERVICE,
        "        self._check_rate_limit(customer_id)\n        if self._declined",
        "        if self._declined",
    ),
    # --- the list ---
    Bug(
        "struck off although it may still come",
        LOOSE,
        "        else:\n            self._reschedule(shop, orphaned, tries)",
        "        else:\n            self._codes.remove(shop, orphaned)",
    ),
    Bug(
        "struck off although Shopify did not answer",
        LOOSE,
        "            self._reschedule(shop, orphaned, tries)\n            raise",
        "            self._codes.remove(shop, orphaned)\n            raise",
    ),
    Bug(
        "never struck off",
        ORPHANED_STORE,
        "self._table.delete(keys.orphaned_code(shop, code.hold_id))",
        "return",
    ),
    Bug(
        "struck off a minute before its end",
        LOOSE,
        "if self._clock.now() >= orphaned.until:",
        "if self._clock.now() + timedelta(seconds=400) >= orphaned.until:",
    ),
    # --- the rules ---
    Bug(
        "undone while the customer has the code",
        DOMAIN,
        "(HoldState.PREPARING, UndoHold)",
        "(HoldState.READY, UndoHold)",
    ),
    Bug(
        "the loose code of another moment",
        DOMAIN,
        "OrphanedCode(hold.hold_id, hold.code, hold.ends_at)",
        "OrphanedCode(hold.hold_id, '', hold.ends_at)",
    ),
    Bug(
        "a merge forgets the code",
        MERGE,
        "orphaned_codes=orphaned(released) if released else ()",
        "orphaned_codes=()",
    ),
    # --- Shopify ---
    Bug(
        "a code that outlives its hold",
        DISCOUNTS,
        '"endsAt": _whole_seconds(discount.ends_at).isoformat()',
        '"endsAt": (_whole_seconds(discount.ends_at).replace(year=2099)).isoformat()',
    ),
    Bug(
        "a code that is there is not looked up",
        DISCOUNTS,
        "if _TAKEN in refused.reasons:",
        "if not refused.reasons:",
    ),
    Bug(
        "switched off without switching off",
        DISCOUNTS,
        '            self._deactivate(found["id"], deadline)\n        except',
        "            pass\n        except",
    ),
    Bug("as often as one likes", DISCOUNTS, '"usageLimit": USAGE_LIMIT', '"usageLimit": 9'),
    # --- orders ---
    Bug(
        "a code in small letters is of no hold",
        ORDER_SERVICE,
        "hold_id = hold_id_of(use.code)\n",
        "hold_id = use.code\n",
    ),
    Bug(
        "an order spends all that was held",
        ORDER_SERVICE,
        "points=-(-use.amount_minor // record.worth_minor)",
        "points=record.points",
    ),
)

HARMLESS_TO_HOLDS: Final = (
    Bug("shorter first pauses", LOOSE, "PAUSE_FIRST_SECONDS = 30", "PAUSE_FIRST_SECONDS = 20"),
    Bug("another budget", DISCOUNTS, "BUDGET_SECONDS = 5.0", "BUDGET_SECONDS = 4.0"),
)
