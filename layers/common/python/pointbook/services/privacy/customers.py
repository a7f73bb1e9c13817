"""Erases a customer: moves the account to a pseudonym, and deletes the link between the two.

Each step may be interrupted anywhere and repeated, by this run or another, also concurrently:

    name       each customer gets a pseudonym, the same one in every run
    copy       the entries are copied to the pseudonym, without their texts
    switch     one transaction: the account is under the pseudonym, the old id has a tombstone
    clear      orders and hold records name the pseudonym; the rest of the old account is deleted,
               and its metafields at Shopify are put on the list of those to be deleted
    survivors  the same for orders in accounts merged with theirs
    metafields those on that list are deleted at Shopify, if it answers; else by `write_metafields`
    finish     files, data requests and pseudonyms are deleted; date and counts are kept

Before the switch all readers see the old account, after it the new one, always complete. The switch
is conditional on the old account's revision: a write before it is copied too, and one after it is
refused.

Several requests may erase customers that are merged with one another, in any order. A switch also
renames the customer in the account they were merged into, so that it never names a moved id;
accounts merged into the erased one are updated right after.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
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
    StoreUnavailable,
    TransientCause,
    Write,
)
from pointbook.domain.privacy import PrivacyRequest, State
from pointbook.services.privacy.dependencies import Dependencies, Save
from pointbook.store.stored_items import BATCH_ITEMS, StoredItem

PAGE_ITEMS = 100
_PAUSE_SECONDS = 0.1


class CustomerErasure:
    """Processes one request to erase a customer until it is done or its deadline passes."""

    def __init__(
        self, request: PrivacyRequest, dependencies: Dependencies, save: Save, deadline: Deadline
    ) -> None:
        """Process `request`; `save` saves its progress."""
        self._request = request
        self._shop = request.shop
        self._dependencies = dependencies
        self._store = dependencies.store
        self._items = dependencies.items
        self._pseudonyms = dependencies.pseudonyms
        self._save = save
        self._deadline = deadline
        self._done: Counter[str] = Counter()
        self._with_metafields: list[str] = []

    def run(self) -> PrivacyRequest:
        """Do the rest of it; returns the request with its counts, not yet marked as done.

        Raises DeadlinePassed, StoreUnavailable or LedgerUnavailable: the next run continues.
        """
        assert self._request.customer_id is not None, "nothing is held under an e-mail address"
        try:
            self._assign_pseudonyms(self._request.customer_id)
            self._move_all()
            for order_id in self._request.order_ids:
                self._rename_order(order_id)
            names = tuple(dict.fromkeys((self._request.customer_id, *self._request.pseudonyms)))
            for customer_id in names:
                self._clear(customer_id)
            self._rename_in_survivors()
            if self._with_metafields:
                self._dependencies.delete_metafields(self._shop, self._with_metafields)
            for customer_id in names:
                self._forget_requests(customer_id)
                if customer_id in self._request.pseudonyms:  # else it was dated before
                    self._finish(customer_id)
        finally:
            self._save_counts()
        return self._request

    def _assign_pseudonyms(self, customer_id: str) -> None:
        """Assign pseudonyms to a customer and to all merged into them, survivors first.

        Each customer is saved before a pseudonym is drawn for them, so that an interrupted run
        leaves no unknown pseudonym: the next run finds the same one and continues.
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
                drawn = pseudonyms.get(name) or self._pseudonyms.draw(self._shop, name)
                if drawn is None:
                    pseudonyms.pop(name, None)
                    continue  # erased before, with nothing left
                pseudonyms[name] = drawn
                account = self._store.account(self._shop, name)
                merged += _customer_ids(account.merged_from) if account else ()
            waiting = merged
        self._save_pseudonyms(pseudonyms)

    def _save_pseudonyms(self, pseudonyms: Mapping[str, str]) -> None:
        """Save the customers with the pseudonyms drawn so far."""
        if pseudonyms != self._request.pseudonyms:
            self._request = self._save(replace(self._request, pseudonyms=pseudonyms))

    def _move_all(self) -> None:
        """Move every account, also those merged into them meanwhile."""
        moved: set[str] = set()
        while waiting := [name for name in self._request.pseudonyms if name not in moved]:
            self._move(waiting[0])
            moved.add(waiting[0])

    def _move(self, customer_id: str) -> None:
        """Copy and switch; repeat if the account was written in between."""
        while True:
            self._deadline.check()
            account = self._store.account(self._shop, customer_id)
            if account is not None and account.erased:
                break
            if account is not None:
                if not self._request.pseudonyms.keys() >= set(_customer_ids(account.merged_from)):
                    self._assign_pseudonyms(customer_id)
                    continue
                self._copy(account)
            if self._commit(self._switch(customer_id, account)):
                break
        self._repoint_merged_accounts(customer_id)

    def _switch(self, customer_id: str, account: Account | None) -> Write:
        pseudonyms = dict(self._request.pseudonyms)
        changed = [tombstone(customer_id, account)]
        if account is not None and account.merged_into is not None:
            survivor = self._store.account(self._shop, account.merged_into)
            assert survivor is not None, "the survivor of a merge has an account"
            if survivor.erased:
                pseudonyms[survivor.customer_id] = self._pseudonym_of_erased(survivor.customer_id)
            else:
                survivor = replace(survivor, revision=survivor.revision + 1)
                changed.append(renamed_merges(survivor, pseudonyms))
        if account is not None:
            changed.append(moved_account(account, pseudonyms))
        return Write(self._shop, tuple(AccountWrite(one, ()) for one in changed))

    def _repoint_merged_accounts(self, customer_id: str) -> None:
        """Point previously merged and erased accounts to the pseudonym of their survivor."""
        new_id = self._request.pseudonyms[customer_id]
        moved = self._store.account(self._shop, new_id)
        for name in moved.merged_from if moved else ():
            while True:
                child = self._store.account(self._shop, name)
                if child is None or child.merged_into != customer_id:
                    break
                repointed = replace(child, merged_into=new_id, revision=child.revision + 1)
                self._commit(Write(self._shop, (AccountWrite(repointed, ()),)))

    def _pseudonym_of_erased(self, customer_id: str) -> str:
        """An erased customer's pseudonym. Raises StoreUnavailable if it was deleted meanwhile."""
        pseudonym = self._request.pseudonyms.get(customer_id)
        pseudonym = pseudonym or self._pseudonyms.find(self._shop, customer_id)
        if pseudonym is None:
            raise StoreUnavailable(TransientCause.CONFLICT, "another request has erased them too")
        return pseudonym

    def _copy(self, account: Account) -> None:
        """Copy entries to the pseudonym; redo the last batch, as it may be incomplete."""
        new_id = self._request.pseudonyms[account.customer_id]
        latest = self._store.entries(
            self._shop, new_id, before_version=account.version + 1, limit=1
        )
        done = max(0, latest[0].entry.version - BATCH_ITEMS) if latest else 0
        while done < account.version:
            self._deadline.check()
            limit = min(PAGE_ITEMS, account.version - done)
            page = self._items.entries(self._shop, account.customer_id, done, limit)
            moved = (moved_entry(booked, self._request.pseudonyms) for booked in page)
            self._items.put_entries(self._shop, moved)
            assert page, f"entries after {done} of {account.version} are missing"
            done = page[-1].entry.version

    def _clear(self, customer_id: str) -> None:
        """Delete the rest of the old account except its tombstone, page by page.

        An entry is deleted after the order or hold that it is about names the pseudonym.
        """
        stone = self._store.account(self._shop, customer_id)
        assert stone is not None, "moving leaves a tombstone"
        assert stone.erased, "only what has been moved is deleted"
        while page := self._deletable(customer_id):
            self._rename_abouts(page)
            for item in filter(lambda one: one.has_metafields, page):
                self._items.request_deletion(item)
                self._with_metafields.append(customer_id)
            self._items.delete(page)
            entries = sum(item.is_entry for item in page)
            self._done.update(entries=entries, other_items=len(page) - entries)
            self._save_counts()

    def _deletable(self, customer_id: str) -> list[StoredItem]:
        """A page of the customer's items; the pseudonym is deleted last, when all is done."""
        page = self._items.of_customer(self._shop, customer_id, PAGE_ITEMS)
        return [item for item in page if not item.is_pseudonym]

    def _rename_in_survivors(self) -> None:
        """Rename in all accounts of the person, if there is more than one.

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
        """Rename in these accounts.

        Saved progress is valid for this set of accounts only: merges and other erasures change it,
        and move entries that were not scanned yet to ids that sort before.
        """
        accounts = _digest(names)
        begun, after = self._request.position or ("", "")
        scanned_accounts, _, begun = begun.partition("|")
        if scanned_accounts != accounts:
            begun, after = "", ""
        for name in names:
            if name < begun:
                continue
            above = {"after": after} if name == begun else {}
            while page := self._items.of_customer(self._shop, name, PAGE_ITEMS, **above):
                self._rename_abouts(page)
                self._rename_idempotency_records(page)
                above = {"after": page[-1].sort_key}
                position = (f"{accounts}|{name}", page[-1].sort_key)
                self._request = self._save(replace(self._request, position=position))

    def _person(self) -> set[str]:
        """The ids and pseudonyms of all customers merged with the erased."""
        found: set[str] = set()
        waiting = list(self._request.pseudonyms.values())
        while waiting:
            self._deadline.check()
            name = waiting.pop()
            account = self._store.account(self._shop, name)
            if name in found or account is None:
                continue
            if account.erased:
                waiting.append(self._pseudonym_of_erased(name))
                continue
            found.add(name)
            waiting += account.merged_from
            waiting += [account.merged_into] if account.merged_into else []
        return found

    def _rename_abouts(self, page: Iterable[StoredItem]) -> None:
        """Rename in the orders and holds that the entries of a page are about."""
        for about in filter(None, dict.fromkeys(item.about for item in page)):
            self._rename_hold(about)
            if about.isascii() and about.isdecimal():
                self._rename_order(about)

    def _rename_idempotency_records(self, page: Iterable[StoredItem]) -> None:
        """Rename the entries in idempotency records.

        A merged customer has such records under their own id, which name the survivor's entries.
        """
        for found in page:
            item: StoredItem | None = found if found.is_idempotency_record else None
            while item is not None:
                ids = item.entry_ids
                renamed = tuple(renamed_entry_id(one, self._request.pseudonyms) for one in ids)
                if renamed == ids:
                    break
                self._deadline.check()
                item = self._items.put_entry_ids(item, renamed)

    def _renamed(self, order: Order) -> Order:
        """An order that names no erased customer; without owner if their pseudonym is deleted."""
        renamed = renamed_order(order, self._request.pseudonyms)
        for name in _customer_ids(
            [renamed.customer_id or "", *(one.customer_id for one in order.spendings)]
        ):
            if not self._dependencies.is_erased(self._shop, name):
                continue
            pseudonym = self._pseudonyms.find(self._shop, name)
            if pseudonym is not None:
                renamed = renamed_order(renamed, {name: pseudonym})
            elif renamed.customer_id == name:
                renamed = replace(renamed, customer_id=None)
        return renamed

    def _rename_order(self, order_id: str) -> None:
        """Rename the erased in an order."""
        while (order := self._dependencies.order(self._shop, order_id)) is not None:
            self._deadline.check()
            renamed = self._renamed(order)
            if renamed == order:
                return
            raised = replace(renamed, revision=order.revision + 1)
            self._done.update(orders=self._commit(Write(self._shop, (), order=raised)))

    def _rename_hold(self, hold_id: str) -> None:
        """Rename the erased in a hold record."""
        while (record := self._dependencies.hold_record(self._shop, hold_id)) is not None:
            self._deadline.check()
            names = dict(self._request.pseudonyms)
            name = record.customer_id
            if name not in names and self._dependencies.is_erased(self._shop, name):
                names[name] = self._pseudonyms.find(self._shop, name) or name
            renamed = renamed_record(record, names)
            if renamed == record:
                return
            raised = replace(renamed, revision=record.revision + 1)
            self._done.update(holds=self._commit(Write(self._shop, (), hold_record=raised)))

    def _commit(self, write: Write) -> bool:
        """Whether it was written. If not, read again: there was another write, or no answer."""
        try:
            if isinstance(self._store.commit(write), Committed):
                return True
        except StoreUnavailable:
            pass  # it may have been written all the same: reading again shows it
        self._dependencies.clock.sleep(_PAUSE_SECONDS)
        return False

    def _forget_requests(self, customer_id: str) -> None:
        """Delete the customer's files and data requests.

        Raises StoreUnavailable while one is open: it ends by itself once it sees the erasure.
        """
        requests = self._dependencies.requests
        while found := requests.for_data_of(self._shop, customer_id):
            self._deadline.check()
            if any(request.state is State.OPEN for request in found):
                raise StoreUnavailable(TransientCause.CONFLICT, "their data is being exported")
            for request in found:
                requests.delete(request)
            self._done.update(data_requests=len(found))
        self._done.update(files=self._dependencies.files.forget_customer(self._shop, customer_id))

    def _finish(self, customer_id: str) -> None:
        """Date the tombstone, and delete the pseudonym."""
        self._items.date_erasure(self._shop, customer_id, self._dependencies.clock.now())
        self._pseudonyms.forget(self._shop, customer_id)
        self._done.update(books=1)

    def _save_counts(self) -> None:
        done = {name: number for name, number in self._done.items() if number}
        self._done.clear()
        if done:
            self._request = self._save(self._request.counted(**done))


def _digest(names: Iterable[str]) -> str:
    """A digest that tells one set of accounts from another."""
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def _customer_ids(names: Iterable[str]) -> list[str]:
    """The names that are Shopify's customer ids: neither empty nor pseudonyms."""
    return [name for name in names if name and not is_pseudonym(name)]
