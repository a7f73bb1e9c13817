"""Erases a customer: the book moves to a pseudonym, the link between the two is cut.

Each step may be cut off anywhere and done again, by this run or another, also by two at once:

    name       pseudonyms are drawn and written down, once for ever
    copy       the entries are written under the pseudonym, without their texts
    switch     one transaction: the account is there, and the old id is a tombstone
    clear      orders and hold records name the pseudonym; whatever is left of the old book goes
    finish     the pseudonyms are forgotten; when and how much was done is kept

Before the switch all readers see the old book, after it the new one, whole: no entry is missing at
any moment. The old account's revision guards the switch, so a write that came in between is copied
too, and one that comes later is refused.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from secrets import randbelow

from pointbook.domain.account import Account
from pointbook.domain.chain import milliseconds
from pointbook.domain.erase import (
    moved_account,
    moved_entry,
    pseudonym_of,
    renamed_merges,
    renamed_order,
    renamed_record,
    tombstone,
)
from pointbook.domain.ports import (
    AccountWrite,
    Committed,
    Loaded,
    TryAgainError,
    Wanted,
    Write,
)
from pointbook.domain.privacy import PrivacyRequest
from pointbook.privacy.allowance import Allowance
from pointbook.privacy.rooms import Rooms
from pointbook.store import items, keys
from pointbook.store.bulk import BATCH_ITEMS
from pointbook.store.values import Stored

PAGE_ITEMS = 100
_PAUSE_SECONDS = 0.1

type Save = Callable[[PrivacyRequest], PrivacyRequest]


class CustomerErasure:
    """One request to erase a customer, as far as the time goes."""

    def __init__(
        self, request: PrivacyRequest, rooms: Rooms, save: Save, allowance: Allowance
    ) -> None:
        """Work on `request`; `save` writes down how far it has come."""
        self._request = request
        self._shop = request.shop
        self._rooms = rooms
        self._save = save
        self._allowance = allowance
        self._done: Counter[str] = Counter()

    def run(self) -> PrivacyRequest:
        """Do all that is left of it; returns the request as it is then, not yet finished.

        Raises TimeIsUp, TryAgainError or LedgerUnavailable where the next run has to go on.
        """
        assert self._request.customer_id is not None, "nothing is held under an e-mail address"
        try:
            self._name(self._request.customer_id)
            self._move_all()
            for order_id in self._request.order_ids:
                self._rename_order(order_id)
            for customer_id in tuple(self._request.pseudonyms):
                self._clear(customer_id)
                self._date(customer_id)
        finally:
            self._keep_counts()
        return self._request

    def _name(self, customer_id: str) -> None:
        """See to a pseudonym for a customer and for whoever was merged into it, parents first."""
        pseudonyms = dict(self._request.pseudonyms)
        waiting = [customer_id]
        while waiting:
            self._allowance.check()
            name = waiting.pop(0)
            pseudonyms.setdefault(name, pseudonym_of(randbelow(10**19)))
            account = self._rooms.store.account(self._shop, name)
            waiting += account.merged_from if account else ()
        if pseudonyms != self._request.pseudonyms:
            self._request = self._save(replace(self._request, pseudonyms=pseudonyms))

    def _move_all(self) -> None:
        """Move every book; one may be merged into them while they are moved."""
        moved: set[str] = set()
        while waiting := [name for name in self._request.pseudonyms if name not in moved]:
            self._move(waiting[0])
            moved.add(waiting[0])

    def _move(self, customer_id: str) -> None:
        """Copy and switch, again where somebody wrote to the account in between."""
        while True:
            self._allowance.check()
            account = self._rooms.store.account(self._shop, customer_id)
            if account is not None and account.erased:
                return
            if account is not None:
                if not self._request.pseudonyms.keys() >= set(account.merged_from):
                    self._name(customer_id)
                self._copy(account)
            if self._commit(self._switch(customer_id, account)):
                return

    def _switch(self, customer_id: str, account: Account | None) -> Write:
        pseudonyms = self._request.pseudonyms
        changed = [tombstone(customer_id, account)]
        if account is not None:
            changed.append(moved_account(account, pseudonyms))
            if account.merged_into is not None and account.merged_into not in pseudonyms:
                survivor = self._rooms.store.account(self._shop, account.merged_into)
                assert survivor is not None, "whoever was merged into stays"
                survivor = replace(survivor, revision=survivor.revision + 1)
                changed.append(renamed_merges(survivor, pseudonyms))
        return Write(self._shop, tuple(AccountWrite(one, ()) for one in changed))

    def _copy(self, account: Account) -> None:
        """Write the entries under the pseudonym, those of the last batch again: it may be torn."""
        new_id = self._request.pseudonyms[account.customer_id]
        latest = self._rooms.store.entries(
            self._shop, new_id, before_version=account.version + 1, limit=1
        )
        done = max(0, latest[0].entry.version - BATCH_ITEMS) if latest else 0
        while done < account.version:
            self._allowance.check()
            limit = min(PAGE_ITEMS, account.version - done)
            book = keys.book(self._shop, account.customer_id)
            page = [
                moved_entry(items.entry_of(item), self._request.pseudonyms)
                for item in self._rooms.bulk.page(book, keys.entry(done), limit)
            ]
            self._rooms.bulk.put(items.entry_item(self._shop, booked) for booked in page)
            assert page, f"entries behind {done} of {account.version} are missing"
            done = page[-1].entry.version

    def _clear(self, customer_id: str) -> None:
        """Delete all that is left of the old book but its tombstone, page by page.

        An entry goes only when the order and the hold that it is about name the pseudonym.
        """
        stone = self._rooms.store.account(self._shop, customer_id)
        assert stone is not None, "moving leaves a tombstone"
        assert stone.erased, "only what has been moved is deleted"
        book = keys.book(self._shop, customer_id)
        while page := self._rooms.bulk.page(book, keys.ACCOUNT, PAGE_ITEMS):
            for about in _abouts(page):
                self._rename_hold(about)
                if about.isascii() and about.isdecimal():
                    self._rename_order(about)
            self._rooms.bulk.delete(page)
            entries = sum(1 for item in page if "moves" in item)
            self._done.update(entries=entries, other_items=len(page) - entries)
            self._keep_counts()
        self._done.update(files=self._rooms.files.forget_customer(self._shop, customer_id))

    def _rename_order(self, order_id: str) -> None:
        """Let an order name the pseudonym."""
        while (order := self._load(order_id=order_id).order) is not None:
            renamed = renamed_order(order, self._request.pseudonyms)
            if renamed == order:
                return
            raised = replace(renamed, revision=order.revision + 1)
            self._done.update(orders=self._commit(Write(self._shop, (), order=raised)))

    def _rename_hold(self, hold_id: str) -> None:
        """Let a hold record name the pseudonym."""
        while (record := self._load(hold_id=hold_id).hold_record) is not None:
            renamed = renamed_record(record, self._request.pseudonyms)
            if renamed == record:
                return
            raised = replace(renamed, revision=record.revision + 1)
            self._done.update(holds=self._commit(Write(self._shop, (), hold_record=raised)))

    def _load(self, order_id: str | None = None, hold_id: str | None = None) -> Loaded:
        self._allowance.check()
        wanted = Wanted(self._shop, None, order_id=order_id, hold_id=hold_id)
        return self._rooms.store.load(wanted, fresh=True)

    def _commit(self, write: Write) -> bool:
        """Whether it was written. If not: read again, somebody else wrote, or the table is busy."""
        try:
            if isinstance(self._rooms.store.commit(write), Committed):
                return True
        except TryAgainError:
            pass  # it may have been written all the same: reading again shows it
        self._rooms.clock.sleep(_PAUSE_SECONDS)
        return False

    def _date(self, customer_id: str) -> None:
        """Write on the tombstone when all was done. It has no other writer."""
        account = self._rooms.store.account(self._shop, customer_id)
        assert account is not None, "moving leaves a tombstone"
        erased_at = {"N": str(milliseconds(self._rooms.clock.now()))}
        stone = items.account_item(self._shop, account) | {"erased_at": erased_at}
        self._rooms.bulk.put([stone])
        self._done.update(books=1)

    def _keep_counts(self) -> None:
        done = {name: number for name, number in self._done.items() if number}
        self._done.clear()
        if done:
            self._request = self._save(self._request.counted(**done))


def _abouts(page: Iterable[Stored]) -> list[str]:
    """What the entries of a page are about, each once: orders, holds, books merged with."""
    named = (item["about"]["S"] for item in page if "about" in item)
    return [about for about in dict.fromkeys(named) if about]
