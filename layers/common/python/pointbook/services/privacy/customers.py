"""Erases a customer: the account moves to a pseudonym, and the link between the two is cut.

Each step may be interrupted anywhere and repeated, by this run or another, also concurrently:

    name       each customer gets a pseudonym, the same one whoever erases them
    copy       the entries are written under the pseudonym, without their texts
    switch     one transaction: the account is there, and the old id is a tombstone
    clear      orders and hold records name the pseudonym; whatever is left of the old account goes
    survivors  orders in the accounts they were merged into, or that were merged with them, too
    finish     files, data requests and pseudonyms go; when and how much was done is kept

Before the switch all readers see the old account, after it the new one, whole: no entry is missing
at any moment. The old account's revision guards the switch, so a write that came in between is
copied too, and one that comes later is refused.

Several requests may work on the same customers, merged with one another, in any order. Whoever
erases a customer renames them in the account they were merged into, in the same transaction, so
that account never names a moved id; accounts merged into the erased one are updated right after.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from pointbook.deadline import Deadline
from pointbook.domain.account import Account
from pointbook.domain.erase import (
    is_pseudonym,
    moved_account,
    moved_entry,
    renamed_entry_id,
    renamed_merges,
    renamed_order,
    renamed_record,
    tombstone,
)
from pointbook.domain.orders import Order
from pointbook.domain.ports import (
    AccountWrite,
    Committed,
    Loaded,
    ReadRequest,
    StoreUnavailable,
    TransientCause,
    Write,
)
from pointbook.domain.privacy import PrivacyRequest, State
from pointbook.services.privacy.dependencies import Dependencies
from pointbook.store.stored_items import BATCH_ITEMS, StoredItem

PAGE_ITEMS = 100
_PAUSE_SECONDS = 0.1

type Save = Callable[[PrivacyRequest], PrivacyRequest]


class CustomerErasure:
    """Processes one request to erase a customer until it is done or its deadline passes."""

    def __init__(
        self, request: PrivacyRequest, dependencies: Dependencies, save: Save, deadline: Deadline
    ) -> None:
        """Work on `request`; `save` writes down how far it has come."""
        self._request = request
        self._shop = request.shop
        self._dependencies = dependencies
        self._save = save
        self._deadline = deadline
        self._done: Counter[str] = Counter()

    def run(self) -> PrivacyRequest:
        """Do all that is left of it; returns the request as it is then, not yet finished.

        Raises DeadlinePassed, StoreUnavailable or LedgerUnavailable: the next run goes on.
        """
        assert self._request.customer_id is not None, "nothing is held under an e-mail address"
        try:
            self._name(self._request.customer_id)
            self._move_all()
            for order_id in self._request.order_ids:
                self._rename_order(order_id)
            names = tuple(dict.fromkeys((self._request.customer_id, *self._request.pseudonyms)))
            for customer_id in names:
                self._clear(customer_id)
            self._rename_in_survivors()
            for customer_id in names:
                self._forget_requests(customer_id)
                if customer_id in self._request.pseudonyms:  # else it was dated before
                    self._date(customer_id)
        finally:
            self._keep_counts()
        return self._request

    def _name(self, customer_id: str) -> None:
        """Assign pseudonyms to a customer and to all merged into them, survivors first.

        Each name is written down before its pseudonym is drawn, so that a run which is cut off in
        between leaves none that nobody knows of: the next run draws the same one and goes on.
        """
        pseudonyms = dict(self._request.pseudonyms)
        waiting = [customer_id, *(name for name, drawn in pseudonyms.items() if not drawn)]
        while waiting:
            self._save_pseudonyms(
                {**pseudonyms, **{name: pseudonyms.get(name, "") for name in waiting}}
            )
            merged: list[str] = []
            for name in waiting:
                self._deadline.check()
                drawn = pseudonyms.get(name) or self._dependencies.pseudonyms.draw(self._shop, name)
                if drawn is None:
                    pseudonyms.pop(name, None)
                    continue  # erased before, with nothing left
                pseudonyms[name] = drawn
                account = self._dependencies.store.account(self._shop, name)
                merged += _real(account.merged_from) if account else ()
            waiting = merged
        self._save_pseudonyms(pseudonyms)

    def _save_pseudonyms(self, pseudonyms: Mapping[str, str]) -> None:
        """Write the names down with the pseudonyms that are drawn by now."""
        if pseudonyms != self._request.pseudonyms:
            self._request = self._save(replace(self._request, pseudonyms=pseudonyms))

    def _move_all(self) -> None:
        """Move every account; one may be merged into them while they are moved."""
        moved: set[str] = set()
        while waiting := [name for name in self._request.pseudonyms if name not in moved]:
            self._move(waiting[0])
            moved.add(waiting[0])

    def _move(self, customer_id: str) -> None:
        """Copy and switch, again where somebody wrote to the account in between."""
        while True:
            self._deadline.check()
            account = self._dependencies.store.account(self._shop, customer_id)
            if account is not None and account.erased:
                break
            if account is not None:
                if not self._request.pseudonyms.keys() >= set(_real(account.merged_from)):
                    self._name(customer_id)
                    continue
                self._copy(account)
            if self._commit(self._switch(customer_id, account)):
                break
        self._repoint_merged_accounts(customer_id)

    def _switch(self, customer_id: str, account: Account | None) -> Write:
        pseudonyms = dict(self._request.pseudonyms)
        changed = [tombstone(customer_id, account)]
        if account is not None and account.merged_into is not None:
            survivor = self._dependencies.store.account(self._shop, account.merged_into)
            assert survivor is not None, "whoever was merged into stays"
            if survivor.erased:
                pseudonyms[survivor.customer_id] = self._known(survivor.customer_id)
            else:
                survivor = replace(survivor, revision=survivor.revision + 1)
                changed.append(renamed_merges(survivor, pseudonyms))
        if account is not None:
            changed.append(moved_account(account, pseudonyms))
        return Write(self._shop, tuple(AccountWrite(one, ()) for one in changed))

    def _repoint_merged_accounts(self, customer_id: str) -> None:
        """Point previously merged and erased accounts to the pseudonym of their survivor."""
        new_id = self._request.pseudonyms[customer_id]
        moved = self._dependencies.store.account(self._shop, new_id)
        for name in moved.merged_from if moved else ():
            while True:
                child = self._dependencies.store.account(self._shop, name)
                if child is None or child.merged_into != customer_id:
                    break
                led = replace(child, merged_into=new_id, revision=child.revision + 1)
                self._commit(Write(self._shop, (AccountWrite(led, ()),)))

    def _known(self, customer_id: str) -> str:
        """An erased customer's pseudonym. Raises StoreUnavailable if it is forgotten by now."""
        known = self._request.pseudonyms.get(customer_id)
        known = known or self._dependencies.pseudonyms.find(self._shop, customer_id)
        if known is None:
            raise StoreUnavailable(
                TransientCause.CONFLICT, "another request has just erased them too"
            )
        return known

    def _copy(self, account: Account) -> None:
        """Copy entries to the pseudonym; redo the last batch, as it may be incomplete."""
        new_id = self._request.pseudonyms[account.customer_id]
        latest = self._dependencies.store.entries(
            self._shop, new_id, before_version=account.version + 1, limit=1
        )
        done = max(0, latest[0].entry.version - BATCH_ITEMS) if latest else 0
        while done < account.version:
            self._deadline.check()
            limit = min(PAGE_ITEMS, account.version - done)
            page = self._dependencies.items.entries(self._shop, account.customer_id, done, limit)
            moved = (moved_entry(booked, self._request.pseudonyms) for booked in page)
            self._dependencies.items.put_entries(self._shop, moved)
            assert page, f"entries behind {done} of {account.version} are missing"
            done = page[-1].entry.version

    def _clear(self, customer_id: str) -> None:
        """Delete all that is left of the old account but its tombstone, page by page.

        An entry goes only when the order and the hold that it is about name the pseudonym.
        """
        stone = self._dependencies.store.account(self._shop, customer_id)
        assert stone is not None, "moving leaves a tombstone"
        assert stone.erased, "only what has been moved is deleted"
        stored = self._dependencies.items
        while page := _without_pseudonym(stored.of_customer(self._shop, customer_id, PAGE_ITEMS)):
            self._rename_abouts(page)
            stored.delete(page)
            entries = sum(item.is_entry for item in page)
            self._done.update(entries=entries, other_items=len(page) - entries)
            self._keep_counts()

    def _rename_in_survivors(self) -> None:
        """Rename the orders and holds in all accounts of the person, where there is more than one.

        After a merge, an order's later entries are in the survivor's account, though the order
        still names its first customer. Progress is saved after each page.
        """
        names = sorted(self._person())
        while len(names) > 1:
            self._rename_in(names)
            scanned, names = names, sorted(self._person())
            if names == scanned:
                return

    def _rename_in(self, names: list[str]) -> None:
        """As above, in these accounts.

        Progress counts for this very set of accounts: merges and other erasures change it, and
        move entries that were not scanned yet to names that sort before.
        """
        accounts = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
        begun, after = self._request.position or ("", "")
        scanned_accounts, _, begun = begun.partition("|")
        if scanned_accounts != accounts:
            begun, after = "", ""
        for name in names:
            if name < begun:
                continue
            above = {"after": after} if name == begun else {}
            while page := self._dependencies.items.of_customer(
                self._shop, name, PAGE_ITEMS, **above
            ):
                self._rename_abouts(page)
                self._rename_idempotency_records(page)
                above = {"after": page[-1].sort_key}
                position = (f"{accounts}|{name}", page[-1].sort_key)
                self._request = self._save(replace(self._request, position=position))

    def _person(self) -> set[str]:
        """The ids and pseudonyms of all who were merged with the erased."""
        found: set[str] = set()
        waiting = list(self._request.pseudonyms.values())
        while waiting:
            self._deadline.check()
            name = waiting.pop()
            account = self._dependencies.store.account(self._shop, name)
            if name in found or account is None:
                continue
            if account.erased:
                waiting.append(self._known(name))
                continue
            found.add(name)
            waiting += account.merged_from
            waiting += [account.merged_into] if account.merged_into else []
        return found

    def _rename_abouts(self, page: Iterable[StoredItem]) -> None:
        """Rename in whatever the entries of a page are about."""
        for about in _abouts(page):
            self._rename_hold(about)
            if about.isascii() and about.isdecimal():
                self._rename_order(about)

    def _rename_idempotency_records(self, page: Iterable[StoredItem]) -> None:
        """Rename in the idempotency records of those who are still there.

        Whoever was merged has such records under their own key, of entries of the survivor.
        """
        for found in page:
            item: StoredItem | None = found if found.is_idempotency_record else None
            while item is not None:
                ids = item.entry_ids
                renamed = tuple(renamed_entry_id(one, self._request.pseudonyms) for one in ids)
                if renamed == ids:
                    break
                self._deadline.check()
                item = self._dependencies.items.put_entry_ids(item, renamed)

    def _renamed(self, order: Order) -> Order:
        """An order that names nobody erased; it has no owner where their pseudonym is forgotten."""
        renamed = renamed_order(order, self._request.pseudonyms)
        for name in _real(
            [renamed.customer_id or "", *(one.customer_id for one in order.spendings)]
        ):
            if not self._is_erased(name):
                continue
            pseudonym = self._dependencies.pseudonyms.find(self._shop, name)
            if pseudonym is not None:
                renamed = renamed_order(renamed, {name: pseudonym})
            elif renamed.customer_id == name:
                renamed = replace(renamed, customer_id=None)
        return renamed

    def _rename_order(self, order_id: str) -> None:
        """Let an order name the pseudonym."""
        while (order := self._load(order_id=order_id).order) is not None:
            renamed = self._renamed(order)
            if renamed == order:
                return
            raised = replace(renamed, revision=order.revision + 1)
            self._done.update(orders=self._commit(Write(self._shop, (), order=raised)))

    def _rename_hold(self, hold_id: str) -> None:
        """Let a hold record name the pseudonym."""
        while (record := self._load(hold_id=hold_id).hold_record) is not None:
            names = dict(self._request.pseudonyms)
            if record.customer_id not in names and self._is_erased(record.customer_id):
                found = self._dependencies.pseudonyms.find(self._shop, record.customer_id)
                names |= {record.customer_id: found} if found else {}
            renamed = renamed_record(record, names)
            if renamed == record:
                return
            raised = replace(renamed, revision=record.revision + 1)
            self._done.update(holds=self._commit(Write(self._shop, (), hold_record=raised)))

    def _is_erased(self, customer_id: str) -> bool:
        """Whether the account has moved; until then nothing may be written to its pseudonym."""
        account = self._dependencies.store.account(self._shop, customer_id)
        return account is not None and account.erased

    def _load(self, order_id: str | None = None, hold_id: str | None = None) -> Loaded:
        self._deadline.check()
        request = ReadRequest(self._shop, None, order_id=order_id, hold_id=hold_id)
        return self._dependencies.store.load(request, fresh=True)

    def _commit(self, write: Write) -> bool:
        """Whether it was written. If not: read again, somebody else wrote, or the table is busy."""
        try:
            if isinstance(self._dependencies.store.commit(write), Committed):
                return True
        except StoreUnavailable:
            pass  # it may have been written all the same: reading again shows it
        self._dependencies.clock.sleep(_PAUSE_SECONDS)
        return False

    def _forget_requests(self, customer_id: str) -> None:
        """Delete the customer's files and what was kept of their requests for data.

        An open data request ends by itself once it sees the erasure. Raises StoreUnavailable.
        """
        requests = self._dependencies.requests
        while kept := requests.for_data_of(self._shop, customer_id):
            self._deadline.check()
            if any(request.state is State.OPEN for request in kept):
                raise StoreUnavailable(TransientCause.CONFLICT, "their data is being written down")
            for request in kept:
                requests.delete(request)
            self._done.update(data_requests=len(kept))
        self._done.update(files=self._dependencies.files.forget_customer(self._shop, customer_id))

    def _date(self, customer_id: str) -> None:
        """Record on the tombstone when the erasure finished, and delete the pseudonym item."""
        self._dependencies.items.date_erasure(
            self._shop, customer_id, self._dependencies.clock.now()
        )
        self._dependencies.pseudonyms.forget(self._shop, customer_id)
        self._done.update(books=1)

    def _keep_counts(self) -> None:
        done = {name: number for name, number in self._done.items() if number}
        self._done.clear()
        if done:
            self._request = self._save(self._request.counted(**done))


def _real(names: Iterable[str]) -> list[str]:
    """The names that are real customer ids: neither empty nor pseudonyms."""
    return [name for name in names if name and not is_pseudonym(name)]


def _without_pseudonym(page: Iterable[StoredItem]) -> list[StoredItem]:
    """What goes now: the pseudonym goes last of all."""
    return [item for item in page if not item.is_pseudonym]


def _abouts(page: Iterable[StoredItem]) -> list[str]:
    """What the entries of a page are about, each once: orders, holds, accounts merged with."""
    return [about for about in dict.fromkeys(item.about for item in page) if about]
