"""Exports all stored data of a customer as one JSON file. Its format: docs/privacy.md.

It is written piece by piece, so a long history needs little memory.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from tempfile import TemporaryFile
from typing import IO, Any

from pointbook.deadline import Deadline
from pointbook.domain.account import Account, Hold
from pointbook.domain.chain import STAFF, BookedEntry
from pointbook.domain.decision import settled
from pointbook.domain.lots import Lots
from pointbook.domain.privacy import PrivacyRequest
from pointbook.domain.till_pushes import Push
from pointbook.services.privacy.dependencies import Dependencies
from pointbook.store.stored_items import StoredItem

FORMAT = 1
PAGE_ITEMS = 500


class CustomerExport:
    """One request for a customer's data."""

    def __init__(
        self, request: PrivacyRequest, dependencies: Dependencies, deadline: Deadline
    ) -> None:
        """Export the data of the customer that `request` names."""
        assert request.customer_id is not None, "nothing is held under an e-mail address"
        self._request = request
        self._customer_id = request.customer_id
        self._shop = request.shop
        self._dependencies = dependencies
        self._deadline = deadline
        self._abouts = dict.fromkeys(request.order_ids)
        self._names: list[str] = []
        self._counts = {"books": 0, "entries": 0, "orders": 0, "holds": 0}

    def run(self, key: str) -> PrivacyRequest:
        """Write the whole file under `key`; returns the request with the counts of its content.

        Raises DeadlinePassed, StoreUnavailable or Unavailable: the next run starts over.
        """
        with TemporaryFile() as file:
            self._write(file)
            file.seek(0)
            self._dependencies.files.put(key, file)
        return self._request.counted(**self._counts)

    def _write(self, file: IO[bytes]) -> None:
        head = {
            "format": FORMAT,
            "made_at": self._dependencies.clock.now(),
            "shop": self._shop,
            "customer_id": self._customer_id,
            "request": self._request.subject,
            "received_at": self._request.received_at,
        }
        file.write(_json(head)[:-1])
        account = self._dependencies.store.account(self._shop, self._customer_id)
        file.write(b',"erased":' + (b"true" if account and account.erased else b"false"))
        for name, members in (
            ("books", self._accounts()),
            ("orders", self._orders()),
            ("holds", self._holds()),
            ("till", self._till()),
        ):
            file.write(f',"{name}":['.encode())
            for number, member in enumerate(members):
                file.write(b",\n" if number else b"\n")
                file.writelines(member)
            file.write(b"]")
        file.write(b"}\n")

    def _accounts(self) -> Iterator[Iterable[bytes]]:
        """The accounts of the customer and of those merged into them."""
        waiting = [self._customer_id]
        while waiting:
            name = waiting.pop(0)
            self._names.append(name)
            account = self._dependencies.store.account(self._shop, name)
            if account is not None and not account.erased:
                waiting += account.merged_from
                self._counts["books"] += 1
                yield self._account(account)

    def _account(self, account: Account) -> Iterator[bytes]:
        shown = settled(account, self._dependencies.clock.now())
        head = {
            "customer_id": account.customer_id,
            "merged_into": account.merged_into,
            "merged_from": account.merged_from,
            "time_zone": account.time_zone,
            "as_of": shown.as_of,
            "figures": shown.figures._asdict(),
            "lots": _lots(shown.lots),
            "hold": _hold(shown.hold),
        }
        yield _json(head)[:-1] + b',"entries":['
        records, pushes = 0, list[Push]()
        separator = b"\n"
        for item in self._items(account.customer_id):
            if item.is_entry:
                booked = item.entry()
                self._abouts.setdefault(booked.entry.about)
                self._counts["entries"] += 1
                yield separator + _json(_entry(booked))
                separator = b",\n"
            elif item.is_idempotency_record:
                records += 1
            else:
                pushes += item.till_pushes
        yield f'],"remembered_requests":{records},"till_pushes":['.encode()
        yield b",".join(_json(_push(push)) for push in pushes) + b"]}"

    def _items(self, customer_id: str) -> Iterator[StoredItem]:
        """All items of a customer except the account."""
        stored = self._dependencies.items
        page = stored.of_customer(self._shop, customer_id, PAGE_ITEMS)
        while page:
            self._deadline.check()
            yield from page
            page = stored.of_customer(self._shop, customer_id, PAGE_ITEMS, page[-1].sort_key)

    def _orders(self) -> Iterator[Iterable[bytes]]:
        for about in self._abouts:
            if not (about.isascii() and about.isdecimal()):
                continue
            self._deadline.check()
            order = self._dependencies.order(self._shop, about)
            if order is not None:
                self._counts["orders"] += 1
                yield [_json(asdict(order))]

    def _holds(self) -> Iterator[Iterable[bytes]]:
        for about in filter(None, self._abouts):
            self._deadline.check()
            record = self._dependencies.hold_record(self._shop, about)
            if record is not None:
                self._counts["holds"] += 1
                yield [_json(asdict(record))]

    def _till(self) -> Iterator[Iterable[bytes]]:
        """What the till last said of the customer, and of those merged into them."""
        for customer_id in self._names:
            cached = self._dependencies.till_members.read(self._shop, customer_id)
            if cached is not None:
                yield [_json({"customer_id": customer_id, **asdict(cached)})]


def _entry(booked: BookedEntry) -> dict[str, Any]:
    entry, cause = booked.entry, booked.cause
    return {
        "entry_id": entry.entry_id,
        "at": entry.at,
        "recorded_at": entry.recorded_at,
        "topic": entry.topic,
        "moves": dict(entry.moves),
        "lots": _lots(entry.lots),
        "held_lots": _lots(entry.held_lots),
        "figures": entry.figures._asdict(),
        "about": entry.about,
        "source": cause.source,
        "actor": None if cause.source in STAFF else cause.actor,
        "cause_entry_id": cause.cause_entry_id,
        "reason": booked.text.reason if booked.text else None,
    }


def _push(push: Push) -> dict[str, Any]:
    return {"at": push.at, "points": push.points, "balance_points": push.balance_points}


def _lots(lots: Lots) -> list[dict[str, Any]]:
    return [{"points": lot.points, "valid_through": lot.valid_through} for lot in lots]


def _hold(hold: Hold | None) -> dict[str, Any] | None:
    if hold is None:
        return None
    return {
        "hold_id": hold.hold_id,
        "points": hold.points,
        "ends_at": hold.ends_at,
        "state": hold.state,
        "discount_code": hold.code,
    }


def _json(value: Any) -> bytes:
    text = json.dumps(value, default=_text, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    assert isinstance(value, date), f"{type(value)} cannot be exported"
    return value.isoformat()
