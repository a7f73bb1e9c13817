"""Which reminders were sent: two attributes of a customer's outbox cursor.

sent_reminders           the lead days for which a reminder was sent, by a lot's last day (20261231)
reminders_claimed_until  a sender is at work, until then at the latest; real time
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pointbook.domain.account import Account
from pointbook.domain.ports import Clock
from pointbook.domain.reminders import SentReminders
from pointbook.store import items, keys
from pointbook.store.batches import read_all
from pointbook.store.customer_items import CustomerErased, CustomerItems
from pointbook.store.items import SCHEMA
from pointbook.store.table import Table, Update
from pointbook.store.values import (
    Stored,
    Value,
    fields_of,
    instant,
    ints_of,
    mapping,
    numbers,
    text_of,
)

ACCOUNTS_MAX = 50
"""How many accounts one read takes: two items each, and a batch takes 100."""

FREE = "(attribute_not_exists(reminders_claimed_until) OR reminders_claimed_until <= :now)"


@dataclass(frozen=True, slots=True)
class AccountReminders:
    """An account as it was a moment ago; what is damaged shows when it is looked at."""

    customer_id: str
    _account: Stored
    _cursor: Stored

    def account(self) -> Account:
        """The account."""
        return items.account_of(self._account)

    def sent_reminders(self) -> SentReminders:
        """The reminders that were sent."""
        return _sent_reminders_of(self._cursor)


class Reminders:
    """The reminders in the ledger's table."""

    def __init__(self, table: Table, clock: Clock) -> None:
        """Keep them in `table`; `clock` waits where it is throttled."""
        self._table = table.outside_ledger()
        self._items = CustomerItems(table)
        self._clock = clock

    def accounts(self, shop: str, customer_ids: Sequence[str]) -> list[AccountReminders]:
        """Up to `ACCOUNTS_MAX` accounts, eventually consistent: claim one before sending."""
        found = {
            (text_of(item["pk"]), text_of(item["sk"])): item
            for item in self._read(shop, customer_ids)
        }
        by_customer = {one: keys.customer(shop, one) for one in customer_ids}
        return [
            AccountReminders(one, found[pk, keys.ACCOUNT], found.get((pk, keys.OUTBOX), {}))
            for one, pk in by_customer.items()
            if (pk, keys.ACCOUNT) in found
        ]

    def claim(
        self, shop: str, customer_id: str, now: datetime, until: datetime
    ) -> SentReminders | None:
        """Claim the customer's reminders until `until`, and return what was sent so far.

        None: another sender has the claim, or the customer was erased.
        """
        key = keys.outbox(shop, customer_id)
        nothing = mapping({})
        update = Update(
            key,
            "SET #schema = :schema, reminders_claimed_until = :until,"
            # A cursor that has `sent_reminders` is never deleted as unused.
            " sent_reminders = if_not_exists(sent_reminders, :nothing)",
            {
                ":schema": SCHEMA["schema"],
                ":until": instant(until),
                ":now": instant(now),
                ":nothing": nothing,
            },
            FREE,
        )
        first = {
            **key,
            **SCHEMA,
            "reminders_claimed_until": instant(until),
            "sent_reminders": nothing,
        }
        try:
            outcome = self._items.change_or_create(update, first)
        except CustomerErased:
            return None
        return _sent_reminders_of(outcome.item) if outcome.done else None

    def release(self, shop: str, customer_id: str, sent_reminders: SentReminders) -> None:
        """Record what was sent and release the claim, whoever has it by now.

        Does nothing if the customer was erased meanwhile.
        """
        change = "SET sent_reminders = :sent REMOVE reminders_claimed_until"
        values = {":sent": _value(sent_reminders)}
        self._items.change(Update(keys.outbox(shop, customer_id), change, values))

    def _read(self, shop: str, customer_ids: Iterable[str]) -> list[Stored]:
        pks = [keys.customer(shop, one) for one in customer_ids]
        pairs = [keys.key(pk, sk) for pk in pks for sk in (keys.ACCOUNT, keys.OUTBOX)]
        return read_all(self._table, pairs, self._clock)


def _value(sent_reminders: SentReminders) -> Value:
    return mapping(
        {f"{day:%Y%m%d}": numbers(sorted(lead_days)) for day, lead_days in sent_reminders.items()}
    )


def _sent_reminders_of(cursor: Stored) -> SentReminders:
    days = fields_of(cursor["sent_reminders"]) if "sent_reminders" in cursor else {}
    return {
        date.fromisoformat(day): frozenset(ints_of(lead_days)) for day, lead_days in days.items()
    }
