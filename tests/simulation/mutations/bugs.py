"""The bugs that are planted, one at a time, to see whether anything finds them.

Every guard is taken away alone, every boundary moved by one, every rule of time broken. A bug is
one text of one file in place of another. `HARMLESS` are changes that break no promise: nothing may
find fault with them, or the detectors cry wolf.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Bug:
    """`new` in place of `old` in `file`."""

    name: str
    file: str
    old: str
    new: str


REQUESTS: Final = "store/requests.py"
STATE: Final = "domain/state.py"
STORE: Final = "store/dynamodb.py"
TABLE: Final = "store/table.py"
LEDGER: Final = "ledger/ledger.py"
LOADING: Final = "ledger/loading.py"
DEADLINE: Final = "deadline.py"
WRITING: Final = "ledger/writes.py"
INSTRUCTION: Final = "ledger/instruction.py"
DRAFT: Final = "domain/draft.py"
DECIDE: Final = "domain/decide.py"
MOVEMENTS: Final = "domain/movements.py"
HOLDS: Final = "domain/holds.py"
LOTS: Final = "domain/lots.py"
ORDERS: Final = "domain/orders.py"
ORDER_POINTS: Final = "domain/order_points.py"
MERGE: Final = "domain/merge.py"
CHAIN: Final = "domain/chain.py"
ITEMS: Final = "store/items.py"
ORDER_ITEMS: Final = "store/order_items.py"

BUGS: Final = (
    # --- guards of a write, each taken away alone ---
    Bug(
        "account written whatever its revision",
        REQUESTS,
        "put_unchanged(items.account_item(shop, part.account), part.account.revision)",
        "Put(items.account_item(shop, part.account))",
    ),
    Bug(
        "entry written over another",
        REQUESTS,
        "Put(items.entry_item(shop, booked), ABSENT)",
        "Put(items.entry_item(shop, booked))",
    ),
    Bug(
        "request remembered over another",
        REQUESTS,
        "yield Put(record, ABSENT)",
        "yield Put(record)",
    ),
    Bug(
        "order written whatever its revision",
        REQUESTS,
        "put_unchanged(order_items.order_item(shop, write.order), write.order.revision)",
        "Put(order_items.order_item(shop, write.order))",
    ),
    Bug(
        "hold record written whatever its revision",
        REQUESTS,
        "put_unchanged(held, write.hold_record.revision)",
        "Put(held)",
    ),
    Bug(
        "first write over an account that is there",
        REQUESTS,
        "        return Put(item, ABSENT)\n",
        "        return Put(item)\n",
    ),
    Bug("an older revision passes", REQUESTS, '"revision = :read', '"revision <= :read'),
    Bug("a newer revision passes", REQUESTS, '"revision = :read', '"revision >= :read'),
    Bug(
        "compared with the new revision",
        REQUESTS,
        "number(new_revision - 1)",
        "number(new_revision)",
    ),
    Bug("the old record is not handed back", TABLE, '"ALL_OLD"', '"NONE"'),
    # --- what DynamoDB answers ---
    Bug(
        "done before, taken for done now",
        STORE,
        "return AlreadyDone(record)",
        "return Committed()",
    ),
    Bug(
        "done before, taken for a lost race",
        STORE,
        "return AlreadyDone(record)",
        "return VersionConflict()",
    ),
    Bug(
        "a conflict taken for done",
        TABLE,
        "            return _cancellation(failure.response)\n",
        "            return _cancellation(failure.response)\n"
        "        except StoreUnavailable as error:\n"
        "            if not str(error).startswith('conflict'):\n"
        "                raise\n",
    ),
    Bug(
        "a throttle taken for done",
        TABLE,
        "            return _cancellation(failure.response)\n",
        "            return _cancellation(failure.response)\n"
        "        except StoreUnavailable as error:\n"
        "            if not str(error).startswith('throttled'):\n"
        "                raise\n",
    ),
    Bug(
        "a time-out taken for done",
        TABLE,
        "            return _cancellation(failure.response)\n",
        "            return _cancellation(failure.response)\n"
        "        except StoreUnavailable as error:\n"
        "            if not str(error).startswith('unreachable'):\n"
        "                raise\n",
    ),
    Bug(
        "a fresh read that is not",
        STORE,
        "self._fresh(by_name) if fresh else self._cheap(by_name)",
        "self._cheap(by_name)",
    ),
    Bug(
        "an account read that may be old",
        TABLE,
        '"Key": key, "ConsistentRead": True',
        '"Key": key, "ConsistentRead": False',
    ),
    # --- reading again ---
    Bug(
        "refused on an old read",
        LEDGER,
        "if isinstance(decision, Refusal) or not decision.changes(before):\n        return True",
        "if isinstance(decision, Refusal):\n        return False\n"
        "    if not decision.changes(before):\n        return True",
    ),
    Bug(
        "nothing to do on an old read",
        LEDGER,
        "if isinstance(decision, Refusal) or not decision.changes(before):",
        "if isinstance(decision, Refusal):",
    ),
    Bug(
        "remembered as done on an old order",
        LEDGER,
        "return rests_on_more and decision.order is None and decision.record is None",
        "return False",
    ),
    Bug(
        "refused while an earlier try is on its way",
        LEDGER,
        "if settled(account, now).version == account.version:",
        "if settled(account, now):",
    ),
    Bug(
        "a snapshot called fresh after a lost race",
        LOADING,
        "account=account), self.idempotency_record)",
        "account=account), self.idempotency_record, self.fresh)",
    ),
    Bug(
        "the time of the first try on every try",
        LEDGER,
        "now, account = self._clock.now(), ",
        "now = self._once = getattr(self, '_once', None) or self._clock.now()\n        account = ",
    ),
    Bug(
        "a reader sees what has fallen due",
        LEDGER,
        "account = settled(stored or opened(customer_id), self._clock.now())",
        "account = stored or opened(customer_id)",
    ),
    Bug("more than twenty entries in one write", LEDGER, "_WRITE_MAX = 20", "_WRITE_MAX = 200"),
    # --- identities ---
    Bug(
        "another content taken for the same",
        LEDGER,
        "if record.content_hash != instruction.content_hash:",
        "if not record.content_hash:",
    ),
    Bug(
        "remembered under the survivor of a merge",
        WRITING,
        "recorded_for=instruction.customer_id",
        "recorded_for=before.customer_id",
    ),
    Bug(
        "a key that is the same for every kind",
        INSTRUCTION,
        'f"{self.kind}\\n{self.key}"',
        "self.key",
    ),
    Bug(
        "a tombstone not followed",
        LOADING,
        "while account.merged_into is not None:",
        "while account.merged_into is not None and account.revision < 0:",
    ),
    Bug(
        "order and book of a merged customer read at two moments",
        LOADING,
        "if self.followed(instruction.shop, tombstone) != account:",
        "if account is tombstone:",
    ),
    Bug(
        "a repetition not marked as one",
        LEDGER,
        "return Booked(record.entry_ids, record.figures, duplicate=True)",
        "return Booked(record.entry_ids, record.figures)",
    ),
    Bug(
        "the first entry taken for the command's",
        WRITING,
        "tuple(entry.entry_id for entry in decision.command_entries)",
        "tuple(entry.entry_id for entry in decision.entries)",
    ),
    # --- time ---
    Bug(
        "due a moment too late",
        DRAFT,
        "due is None or due > self.now",
        "due is None or due >= self.now",
    ),
    Bug(
        "lapsed a moment too late",
        DRAFT,
        "lapse_instant(day, self.account.time_zone) <= at",
        "lapse_instant(day, self.account.time_zone) < at",
    ),
    Bug("the later of two first", DRAFT, "due = min(", "due = max("),
    Bug(
        "a lot before the hold that ends with it",
        DRAFT,
        "if due == hold_end:",
        "if due != next_lapse:",
    ),
    Bug("a clock that runs back", DRAFT, "self.now = max(now, account.as_of)", "self.now = now"),
    Bug(
        "no memory of the time",
        DECIDE,
        "replace(draft.account, as_of=draft.now, ",
        "replace(draft.account, ",
    ),
    Bug(
        "nothing settled before the command",
        DECIDE,
        "    draft.settle()\n    settled_entries",
        "    settled_entries",
    ),
    Bug(
        "nothing settled after the command",
        DECIDE,
        "        return outcome\n    draft.settle()\n",
        "        return outcome\n",
    ),
    Bug(
        "entries dated when they are noticed",
        DRAFT,
        "at = max(due, self.account.last_at)",
        "at = self.now",
    ),
    Bug(
        "a hold not on the index",
        ITEMS,
        "(DueKind.HOLD, account.hold_end)",
        "(DueKind.HOLD, None)",
    ),
    # --- points ---
    Bug(
        "one point more than there is",
        MOVEMENTS,
        "if points > draft.account.balances.approved:",
        "if points > draft.account.balances.approved + 1:",
    ),
    Bug(
        "the last point cannot be held",
        HOLDS,
        "if command.points > draft.account.balances.approved:",
        "if command.points >= draft.account.balances.approved:",
    ),
    Bug(
        "the last to expire goes first",
        LOTS,
        "lot.valid_through not in first, lot.valid_through)",
        "lot.valid_through not in first, -lot.valid_through.toordinal())",
    ),
    Bug(
        "lots unsorted", LOTS, "for day in sorted(points_by_day) if", "for day in points_by_day if"
    ),
    Bug("own lots not first", LOTS, "(lot.valid_through not in first, ", "(0, "),
    Bug(
        "given back with a fresh day",
        MOVEMENTS,
        "returning = draft.returning(lots, draft.now, lapsed_expiry)",
        "returning = (Lot(draft.valid_through(expiry), total(lots)),) if lots else ()",
    ),
    Bug(
        "a debt not repaid", DRAFT, "_, rest = take(incoming, self.account.debt)", "rest = incoming"
    ),
    Bug("clamping that carries", MOVEMENTS, "if policy is DebtPolicy.CLAMP:", "if points < 0:"),
    Bug(
        "more given back than spent",
        MOVEMENTS,
        "if points > (spent :=",
        "if points > 1 + (spent :=",
    ),
    # --- holds ---
    Bug(
        "a hold that stays until its time is over",
        DRAFT,
        "hold=hold if moves_hold else before.hold",
        "hold=hold or (before.hold if before.hold and at < before.hold.ends_at else None)",
    ),
    Bug(
        "a second hold", HOLDS, "if (hold := draft.account.hold) is not None:", "if (hold := None):"
    ),
    Bug(
        "released in any state",
        HOLDS,
        "    (HoldState.RELEASING, ReleaseHold): ENDED,\n",
        "    **{(state, ReleaseHold): ENDED for state in HoldState},\n",
    ),
    Bug(
        "ready after releasing began",
        HOLDS,
        "    (HoldState.RELEASING, BeginRelease)",
        "    (HoldState.RELEASING, MarkReady): HoldState.READY,\n"
        "    (HoldState.RELEASING, BeginRelease)",
    ),
    Bug("an order counted twice", HOLDS, "if order.order_id in record.orders:", "if not record:"),
    Bug(
        "a code that may exist is forgotten",
        HOLDS,
        "return Outcome(orphaned_codes=orphaned(hold))",
        "return DONE",
    ),
    Bug("the rest not returned", HOLDS, "if remaining is not None:", "if points < 0:"),
    Bug(
        "more spent than held",
        HOLDS,
        "points = min(command.points, record.points)",
        "points = command.points",
    ),
    Bug(
        "a late order forgets what expired",
        MOVEMENTS,
        "expired = _expired_since(draft, lots, points)",
        "expired = ()",
    ),
    Bug("no alarm", WRITING, "        alarms=decision.alarms,\n", ""),
    # --- orders and merges ---
    Bug(
        "a refund beyond the order",
        ORDERS,
        "_divided(max(0, base_minor), ",
        "_divided(base_minor, ",
    ),
    Bug(
        "a refund counted twice",
        ORDERS,
        "refunds[refund.refund_id] = refund",
        "refunds[str(len(refunds))] = refund",
    ),
    Bug(
        "older news wins",
        ORDERS,
        "_precedence(update) > _precedence(self)",
        "_precedence(update) < _precedence(self)",
    ),
    Bug(
        "of news of one time the last wins",
        ORDERS,
        "        -version.goods.priced_minor,\n        -version.goods.tax_minor,\n",
        "",
    ),
    Bug(
        "the first confirmation heard counts, not the earliest",
        ORDERS,
        "min(filter(None, (self.confirmed_at, update.confirmed_at)), default=None)",
        "self.confirmed_at or update.confirmed_at",
    ),
    Bug(
        "approved a moment too late",
        ORDER_POINTS,
        "order.approves_at <= draft.now",
        "order.approves_at < draft.now",
    ),
    Bug(
        "approved as soon as it is confirmed",
        ORDERS,
        "timedelta(days=self.rule.pending_days)",
        "timedelta()",
    ),
    Bug(
        "nothing is approved without news",
        ORDER_POINTS,
        "if order.pending_points and _is_approved(draft, order):",
        "if order.pending_points and order != before and _is_approved(draft, order):",
    ),
    Bug(
        "pending points on no index",
        ORDER_ITEMS,
        "item |= keys.due_attributes(DueKind.PENDING, key, order.due_at)",
        "pass",
    ),
    Bug(
        "the rule of the latest news",
        ORDERS,
        "rule=self.rule or rule",
        "rule=rule",
    ),
    Bug(
        "the minimum is held against what is left",
        ORDERS,
        "if base_minor < self.rule.minimum_minor:",
        "if base_minor - self._refunded_minor(base_minor) < self.rule.minimum_minor:",
    ),
    Bug(
        "the minimum itself is too little",
        ORDERS,
        "if base_minor < self.rule.minimum_minor:",
        "if base_minor <= self.rule.minimum_minor:",
    ),
    Bug(
        "tax added to a price that has it",
        ORDERS,
        "return priced + tax if self.tax_included else priced - tax",
        "return priced + tax",
    ),
    Bug(
        "gift cards' tax earns",
        ORDERS,
        "priced - goods.gift_card_minor, tax - goods.gift_card_tax_minor",
        "priced - goods.gift_card_minor, tax",
    ),
    Bug(
        "gift cards earn",
        ORDERS,
        "if not self.gift_cards_earn:",
        "if goods.priced_minor < 0:",
    ),
    Bug(
        "money paid back taken off whole",
        ORDERS,
        "_divided(money_minor * base_minor, paid_minor, Rounding.HALF_UP)",
        "money_minor",
    ),
    Bug(
        "money paid back spread over the price without tax",
        ORDERS,
        "(0 if self.taxes_included else goods.tax_minor)",
        "0",
    ),
    Bug(
        "money paid back rounded down",
        ORDERS,
        "paid_minor, Rounding.HALF_UP)",
        "paid_minor, Rounding.FLOOR)",
    ),
    Bug(
        "spent at a till twice",
        ORDER_POINTS,
        "if any(spending.hold_id == command.spending_id for spending in order.spendings):",
        "if command.points < 0:",
    ),
    Bug(
        "spent at a till only what is there",
        ORDER_POINTS,
        "transfer(Bucket.APPROVED, Bucket.SPENT, command.points)",
        "transfer(Bucket.APPROVED, Bucket.SPENT, total(taken) or command.points)",
    ),
    Bug(
        "no alarm for points spent that were not there",
        ORDER_POINTS,
        "if total(taken) < command.points else ()",
        "if command.points < 0 else ()",
    ),
    Bug(
        "an expiry entry for each lot",
        DRAFT,
        "lapsed = tuple(lot for lot in lots if self.has_lapsed(lot, at))\n        self.book(",
        "lapsed = lots[:1]\n        self.book(",
    ),
    Bug(
        "returned lots of each day by themselves",
        ORDER_POINTS,
        "left, returning = take(spending.lots, lots_points - (points - from_no_lot))",
        "left, returning = take(spending.lots, lots_points - (points - from_no_lot))\n"
        "    for lot in returning[:-1]:\n"
        "        give_back(draft, lot.points, (lot,), command.expiry, None, spending.hold_id)\n"
        "        back = spending.returned_points + lot.points\n"
        "        spending = replace(spending, returned_points=back)\n"
        "        points, returning = points - lot.points, returning[1:]",
    ),
    Bug(
        "given back twice",
        ORDER_POINTS,
        "points = order.returned_target(spending) - spending.returned_points",
        "points = order.returned_target(spending)",
    ),
    Bug(
        "given back though not cancelled",
        ORDERS,
        "spending.return_spent is ReturnSpent.CANCELLED:\n            return 0",
        "spending.return_spent is ReturnSpent.CANCELLED:\n            return spending.points",
    ),
    Bug(
        "a part given back though not all goods are",
        ORDERS,
        "if spending.return_spent is ReturnSpent.REFUNDED:",
        "if spending.points < 0:",
    ),
    Bug(
        "a share of the points rounded up",
        ORDERS,
        "spending.points * max(0, min(back, bought)) // bought if",
        "-(-spending.points * max(0, min(back, bought)) // bought) if",
    ),
    Bug(
        "more comes back than was spent",
        ORDERS,
        "max(0, min(back, bought))",
        "max(0, back)",
    ),
    Bug(
        "what came back too early stays",
        ORDER_POINTS,
        "    if points == 0:\n",
        "    if points <= 0:\n",
    ),
    Bug(
        "spent again from other lots first",
        ORDER_POINTS,
        "Topic.SUB_ORDER, order_id, first=days",
        "Topic.SUB_ORDER, order_id, first=()",
    ),
    Bug(
        "today's rule for what a hold spent",
        HOLDS,
        "        return_spent=command.return_spent,\n",
        "",
    ),
    Bug(
        "today's rule for what a till spent",
        ORDER_POINTS,
        "        return_spent=command.return_spent,\n",
        "",
    ),
    Bug(
        "of two states in one second the smaller wins",
        ORDERS,
        "        version.triggered_at or _LONG_AGO,\n",
        "",
    ),
    Bug(
        "when news was sent is forgotten",
        ORDER_ITEMS,
        '(("updated_at", order.updated_at), ("triggered_at", order.triggered_at))',
        '(("updated_at", order.updated_at),)',
    ),
    # --- whose order and whose hold it is ---
    Bug(
        "another customer's order is updated",
        ORDER_POINTS,
        "if not state.belongs(before.customer_id):",
        "if not before:",
    ),
    Bug(
        "another customer's order spends at a till",
        ORDER_POINTS,
        "if not state.belongs(order.customer_id):",
        "if not order:",
    ),
    Bug(
        "what another customer spent comes back",
        ORDER_POINTS,
        "if not state.belongs(spending.customer_id):",
        "if not spending:",
    ),
    Bug(
        "another customer's hold is captured",
        HOLDS,
        "if not state.belongs(record.customer_id):",
        "if not record:",
    ),
    Bug(
        "what a merged customer owned is nobody's",
        STATE,
        "self.customer_id, *account.merged_from)",
        "self.customer_id)",
    ),
    Bug(
        "an order that has come to need a rule goes without",
        ORDER_POINTS,
        "if command.needs_rule and order.lacks_rule:",
        "if command.needs_rule and not order:",
    ),
    Bug("a merge about a customer", MERGE, "about=source.book_id", "about=source.customer_id"),
    Bug(
        "a code of a vanished customer still works",
        MERGE,
        "orphaned(released) if released else ()",
        "()",
    ),
    Bug(
        "a survivor that forgets whom it was made of",
        MERGE,
        "(*staying.account.merged_from, *moved, source.customer_id)",
        "(*moved, source.customer_id)",
    ),
    Bug(
        "a tombstone that leads back to where it came from",
        MERGE,
        "return replace(stone, merged_into=target.customer_id, revision",
        "return replace(stone, merged_into=source.customer_id, revision",
    ),
    Bug(
        "a source that still names the tombstones that moved on",
        MERGE,
        "merged_into=target.customer_id, merged_from=left",
        "merged_into=target.customer_id",
    ),
    Bug(
        "tombstones written without their condition",
        REQUESTS,
        "if new_revision == 1:",
        "if new_revision == 1 or item.get('merged_into') and 'merged_from' not in item:",
    ),
    Bug(
        "a debt lost in a merge",
        MERGE,
        "_, lots = take(staying.credited(source.lots, staying.now), source.debt)",
        "lots = staying.credited(source.lots, staying.now)",
    ),
    Bug(
        "what expired forgotten in a merge",
        MERGE,
        "added(target.lapsed, source.lapsed)",
        "added(target.lapsed, ())",
    ),
    # --- the paces ---
    Bug(
        "one hold more in an hour",
        DECIDE,
        "            if done >= most:\n                return _held",
        "            if done > most:\n                return _held",
    ),
    Bug(
        "one entry of Flow more in an hour",
        DECIDE,
        "            if done >= most:\n                return _loop",
        "            if done > most:\n                return _loop",
    ),
    Bug(
        "a pace kept over the hour",
        DECIDE,
        "pace is not None and pace.hour == hour",
        "pace is not None",
    ),
    Bug(
        "holds counted as what Flow did",
        DECIDE,
        "_done_within(hour, account.hold_pace)",
        "_done_within(hour, account.flow_pace)",
    ),
    Bug(
        "a repetition is held against the pace",
        LEDGER,
        "if snapshot.idempotency_record is not None:\n            return _repeated(instruction, "
        "snapshot.idempotency_record)\n        now",
        "if snapshot.idempotency_record is not None and not snapshot.state.account.hold_pace:\n"
        "            return _repeated(instruction, snapshot.idempotency_record)\n        now",
    ),
    Bug(
        "a pace that does not grow in the table",
        ITEMS,
        "numbers((pace.hour, pace.commands))",
        "numbers((pace.hour, 1))",
    ),
    # --- the chain ---
    Bug("a hash without the one before", CHAIN, "        previous_hash,\n    ]", "    ]"),
    Bug(
        "a text that is not sealed",
        CHAIN,
        "        text_digest,\n        previous_hash",
        "        previous_hash",
    ),
    Bug(
        "a digest that can be guessed",
        CHAIN,
        'f"{self.salt}\\n{cause.cause_entry_id}\\n{self.reason}"',
        'f"{cause.cause_entry_id}\\n{self.reason}"',
    ),
    Bug(
        "a cause that is not sealed",
        CHAIN,
        'f"{self.salt}\\n{cause.cause_entry_id}\\n{self.reason}"',
        'f"{self.salt}\\n{self.reason}"',
    ),
    Bug(
        "a cause without a text is not sealed",
        WRITING,
        "erasable = instruction.reason or instruction.cause.cause_entry_id",
        "erasable = instruction.reason",
    ),
    Bug(
        "own entries chained past those due",
        WRITING,
        "head = due[-1].entry_hash if due else before.head",
        "head = before.head",
    ),
)

HARMLESS: Final = (
    Bug(
        "part of a read left out is taken for absent",
        STORE,
        "if left_out:",
        "if not by_name:",
    ),
    Bug(
        "a lost race is always read again",
        LOADING,
        "        return Snapshot(replace(self.state, account=account), self.idempotency_record)",
        "        return None",
    ),
    Bug(
        "every read is fresh",
        STORE,
        "self._fresh(by_name) if fresh else",
        "self._fresh(by_name) if by_name else",
    ),
    Bug(
        "pauses that grow faster",
        DEADLINE,
        "_SECONDS * 2**self._tries",
        "_SECONDS * 4**self._tries",
    ),
    Bug("pauses without jitter", DEADLINE, "self._random() * longest", "longest"),
)
