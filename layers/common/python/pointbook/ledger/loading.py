"""Reads the state that a decision is based on, and follows the tombstones of merged customers."""

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pointbook.deadline import Deadline
from pointbook.domain.account import DEFAULT_TIME_ZONE, Account
from pointbook.domain.ports import (
    Clock,
    IdempotencyRecord,
    ReadRequest,
    Store,
    StoreUnavailable,
    TransientCause,
    VersionConflict,
)
from pointbook.domain.state import State
from pointbook.errors import LedgerUnavailable

if TYPE_CHECKING:
    from pointbook.ledger.instruction import Instruction

DEADLINE_SECONDS = 8.0
"""Shopify Flow waits 10 s; without a verdict by then it gets a 503."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state that one attempt decides on; `fresh` if it is a consistent and current snapshot.

    `idempotency_record` is set if the request was processed before.
    """

    state: State
    idempotency_record: IdempotencyRecord | None
    fresh: bool = False

    def after(self, conflict: VersionConflict) -> "Snapshot | None":
        """The snapshot with the account as it is now; None if all has to be read again."""
        account = conflict.accounts.get(self.state.account.customer_id)
        if account is None or account.merged_into is not None:
            return None
        return Snapshot(replace(self.state, account=account), self.idempotency_record)


class Loader:
    """Reads from a store. Every method may raise StoreUnavailable."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Read from `store`; `clock` limits the time for following tombstones."""
        self._store = store
        self._clock = clock

    def snapshot(self, instruction: "Instruction", *, fresh: bool) -> Snapshot:
        """Everything that an instruction needs; the account is the survivor's after merges."""
        identity = instruction.identity
        request = ReadRequest(
            shop=instruction.shop,
            customer_id=instruction.customer_id,
            key_hash=identity.key_hash if identity else None,
            order_id=instruction.order_id,
            hold_id=instruction.hold_id,
        )
        loaded = self._store.load(request, fresh=fresh)
        account = tombstone = loaded.account or new_account(
            instruction.customer_id, instruction.time_zone
        )
        if account.merged_into is not None:
            account = self.followed(instruction.shop, account)
            if fresh:  # record, order and account must be of one moment: a refusal rests on them
                loaded = self._store.load(request, fresh=True)
                self._check_unchanged(instruction.shop, tombstone, account)
        state = State(account, loaded.order, loaded.hold_record, instruction.customer_id)
        return Snapshot(state, loaded.idempotency_record, fresh)

    def account(self, shop: str, customer_id: str, time_zone: str = DEFAULT_TIME_ZONE) -> Account:
        """A customer's own account or tombstone, fresh; one without entries if there is none."""
        return self._store.account(shop, customer_id) or new_account(customer_id, time_zone)

    def survivor(self, shop: str, customer_id: str) -> Account | None:
        """The account that a customer's points are on, if there is one."""
        account = self._store.account(shop, customer_id)
        return self.followed(shop, account) if account else None

    def followed(self, shop: str, account: Account) -> Account:
        """The account at the end of the tombstones; no chain goes round in a circle.

        Raises LedgerUnavailable when the longest of all deadlines is over.
        """
        deadline = Deadline.after(DEADLINE_SECONDS, self._clock.monotonic)
        seen: set[str] = set()
        while account.merged_into is not None:
            assert account.customer_id not in seen, f"merges of {account.customer_id} in a circle"
            seen.add(account.customer_id)
            if deadline.passed:
                raise LedgerUnavailable(retry_after_seconds=1)
            account = self.account(shop, account.merged_into)
        return account

    def _check_unchanged(self, shop: str, tombstone: Account, account: Account) -> None:
        """Raise where the account behind a tombstone has changed since it was read."""
        if self.followed(shop, tombstone) != account:
            raise StoreUnavailable(TransientCause.CONFLICT, "written while it was read")


def new_account(customer_id: str, time_zone: str = DEFAULT_TIME_ZONE) -> Account:
    """A new account without entries, in the calendar of `time_zone`."""
    return Account(customer_id, account_id=secrets.token_hex(8), time_zone=time_zone)
