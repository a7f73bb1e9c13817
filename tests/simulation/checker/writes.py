"""Checks writes: each is what the model makes of one request, in the order of the table."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from pointbook.domain.commands import Settle
from pointbook.ledger.instruction import Identity
from tests.reference import model
from tests.reference.model import Answer, Customer, Move
from tests.reference.order_items import OrderItems
from tests.simulation.checker import raw_items
from tests.simulation.checker.accounts import StoredAccount
from tests.simulation.checker.histories import Shops
from tests.simulation.checker.raw_items import Plain
from tests.simulation.kernel.requests import Attempt, Commit, Request, Who
from tests.simulation.kernel.violation import must
from tests.support.instants import instant

ENTRIES_PER_WRITE_MAX: Final = 20
"""What one write may hold, however much has fallen due."""


@dataclass(slots=True)
class Written:
    """The items of one write, by what they are."""

    accounts: dict[Who, Plain] = field(default_factory=dict)
    entries: dict[Who, list[Plain]] = field(default_factory=dict)
    idempotency_record: list[tuple[Who, Plain]] = field(default_factory=list)
    orders: list[Plain] = field(default_factory=list)
    records: list[Plain] = field(default_factory=list)
    orphaned_codes: list[Plain] = field(default_factory=list)


class Writes:
    """All that was written, and what the model made of it."""

    def __init__(self, time_zones: dict[str, str]) -> None:
        self.shops = Shops(time_zones)
        self.accounts: dict[Who, StoredAccount] = {}
        self.keys: set[tuple[str, str]] = set()
        self.refusals: dict[int, list[Attempt]] = {}
        self.topics: Counter[str] = Counter()
        self._effects: dict[tuple[Who, str], Commit] = {}
        self._contents: dict[tuple[Who, str], str] = {}

    def effect(self, request: Request) -> Commit | None:
        """The effect that the request's identity has had."""
        return self._effects.get(_name(request.who, request.identity)) if request.identity else None

    def has_other_content(self, request: Request) -> bool:
        """Whether the request's identity has had an effect, with other content."""
        if request.identity is None:
            return False
        recorded = self._contents.get(_name(request.who, request.identity))
        return recorded is not None and recorded != raw_items.content_hash(request.content)

    def account(self, who: Who) -> StoredAccount:
        """The account as its items add up."""
        return self.accounts.setdefault(who, StoredAccount())

    def committed(
        self, sequence: int, attempt: Attempt, puts: Iterable[Mapping[str, Any]], wall_ms: int
    ) -> None:
        """The table took a write that was issued when the writer's clock showed `wall_ms`."""
        self._check_not_refused(attempt)
        written = self._by_kind(puts, attempt.request)
        work = self._merged if len(written.accounts) > 1 else self._moved
        commit = work(sequence, attempt, written, wall_ms)
        for who, account in written.accounts.items():
            self.account(who).check_account(who, account, self.shops.customer(who).latest)
        attempt.commits.append(commit)
        self._check_idempotency_record(commit, written)

    def _check_not_refused(self, attempt: Attempt) -> None:
        """A write that is in flight when its attempt ends must not arrive after a later refusal."""
        over_ms = attempt.over_ms
        refused = attempt.refused or any(
            over_ms is not None and over_ms <= later.began_ms
            for later in self.refusals.get(attempt.request.number, [])
            if later.refused
        )
        must("refusal", not refused, f"{attempt.request.name} was refused, now it happens")

    def _by_kind(self, puts: Iterable[Mapping[str, Any]], request: Request) -> Written:
        """The items by kind. Each entry and record is new; all belong to the request's shop."""
        written = Written()
        for put in puts:
            item = raw_items.plain(put["Item"])
            key = (item["pk"], item["sk"])
            kind, (shop, rest) = item["sk"].partition("#")[0], _of_shop(item["pk"])
            must("effect", shop == request.who[0], f"{key} is not of {request.who[0]}")
            must(
                "once",
                kind not in ("ENTRY", "REQUEST") or key not in self.keys,
                f"{key} is written again",
            )
            self.keys.add(key)
            who = (shop, rest.removeprefix("CUSTOMER#"))
            match kind:
                case "ACCOUNT":
                    written.accounts[who] = item
                case "ENTRY":
                    written.entries.setdefault(who, []).append(item)
                case "REQUEST":
                    written.idempotency_record.append((who, item))
                case "ORDER":
                    written.orders.append(item)
                case "HOLD":
                    written.records.append(item)
                case "ORPHANED_CODE":
                    written.orphaned_codes.append(item)
        accounts_max = 2 + model.STONES_MAX if request.merge_into else 1
        must("effect", 1 <= len(written.accounts) <= accounts_max, "a write of none, or of many")
        must("effect", written.entries.keys() <= written.accounts.keys(), "entries alone")
        longest = max(map(len, written.entries.values()), default=0)
        must("effect", longest <= ENTRIES_PER_WRITE_MAX or request.merge_into, "too many entries")
        return written

    def _moved(self, sequence: int, attempt: Attempt, written: Written, wall_ms: int) -> Commit:
        """A write of one account: a request's effect, or what had fallen due before it."""
        ((who, account),) = written.accounts.items()
        request, own = attempt.request, attempt.request.merge_into is None
        if not own:  # before a merge both sides are settled
            request = Request(request.number, who, "settle", Settle())
        must(
            "effect",
            who == self.shops.owner(request.who, sequence - 1),
            f"{who} is not {request.who}",
        )
        self.account(who).check_date(account, wall_ms)
        now = instant(account["as_of"])
        before_items = self.shops.order_items(request, sequence - 1)
        customer, order_items, answer = self.shops.decide(request, sequence - 1, now)
        if answer.refused is not None or len(answer.moves) > ENTRIES_PER_WRITE_MAX:
            customer, order_items, own = self.shops.customer(who).latest.copy(), before_items, False
            answer = model.settle_part(customer, now, ENTRIES_PER_WRITE_MAX)
            must("effect", answer.moves, f"{request.name} must be refused, and nothing is due")
        due = self._due(who, now, len(answer.moves))
        entries = written.entries.get(who, [])
        self._check_entries(who, account, entries, answer.moves)
        self._check_causes(who, entries, len(entries) if not own else due, request, request.reason)
        _check_order_items(request, before_items, order_items, written)
        _check_orphaned(answer, written)
        self.shops.keep(sequence, who, customer, len(entries))
        self.shops.keep_order_items(sequence, request, order_items)
        return Commit(
            sequence=sequence,
            attempt=attempt,
            entry_ids=_ids(who, entries[due:]) if own else (),
            figures=self.account(who).figures,
            alarms=answer.alarms,
            own=own,
        )

    def _merged(self, sequence: int, attempt: Attempt, written: Written, wall_ms: int) -> Commit:
        """A write of two accounts: one customer is merged into another."""
        request = attempt.request
        source_id = request.who
        target_id = self.shops.latest_owner((request.who[0], request.merge_into or ""))
        sides = (source_id, target_id)
        stones = {
            who: self.shops.customer(who).latest.copy()
            for name in self.shops.customer(source_id).latest.merged_from[-model.STONES_MAX :]
            for who in [(request.who[0], name)]
        }
        must("effect", written.accounts.keys() == {*sides, *stones}, "another merge")
        latest_ms = max(self.account(who).as_of_ms for who in sides)
        for who in sides:
            self.account(who).as_of_ms = latest_ms
            self.account(who).check_date(written.accounts[who], wall_ms)
        now = instant(written.accounts[source_id]["as_of"])
        source = self.shops.customer(source_id).latest.copy()
        target = self.shops.customer(target_id).latest.copy()
        leaving = _leaving(source.copy(), now)
        due = {who: self._due(who, now) for who in sides}
        answer = model.merge(source, target, now, list(stones.values()))
        must("effect", answer.refused is None, f"a merge must be refused: {answer.refused}")
        _check_orphaned(answer, written)
        leaving += [_turned_round(m) for m in answer.moves if m.topic == "points/add/merge"]
        for who, customer, moves in (
            (source_id, source, tuple(leaving)),
            (target_id, target, answer.moves),
        ):
            entries = written.entries.get(who, [])
            self._check_entries(who, written.accounts[who], entries, moves)
            self._check_causes(who, entries, due[who], request, "")
            (other,) = (one for one in sides if one != who)
            self._check_merge_about(who, entries, written.accounts[other])
            self.shops.keep(sequence, who, customer, len(entries))
        for who, customer in stones.items():
            must("time", written.accounts[who]["as_of"] == self.account(who).as_of_ms, "a new date")
            self.shops.keep(sequence, who, customer, 0)
        return Commit(
            sequence=sequence,
            attempt=attempt,
            entry_ids=_ids(target_id, written.entries.get(target_id, [])[due[target_id] :]),
            figures=self.account(target_id).figures,
        )

    def _check_merge_about(self, who: Who, entries: list[Plain], other: Plain) -> None:
        """The entry of a merge names the other account's book, and no customer."""
        for entry in entries:
            right = not entry["topic"].endswith("/merge") or entry["about"] == other["book"]
            must("entries", right, f"{who}: a merge with {other['book']} is about {entry['about']}")

    def _due(self, who: Who, now: datetime, moves_max: int = 1000) -> int:
        """How many movements had fallen due before the request."""
        return len(model.settle_part(self.shops.customer(who).latest.copy(), now, moves_max).moves)

    def _check_entries(
        self, who: Who, account: Plain, entries: list[Plain], moves: tuple[Move, ...]
    ) -> None:
        """The entries are the model's movements."""
        seen = [Move(e["topic"], e["moves"], instant(e["at"])) for e in entries]
        must("effect", seen == list(moves), f"{who} wrote {seen}, the model says {list(moves)}")
        stored = self.account(who)
        stored.account_id = stored.account_id or account["book"]
        for entry in entries:
            stored.add(entry, account["as_of"])
            self.topics[entry["topic"]] += 1

    def _check_causes(
        self, who: Who, entries: list[Plain], due: int, request: Request, reason: str
    ) -> None:
        """The first `due` entries were caused by time alone, the others by the request.

        No entry names another customer by the entry that caused it.
        """
        caused_by = request.caused_by if request.caused_by.rpartition("-")[0] == who[1] else ""
        for at, entry in enumerate(entries):
            seen = (entry["source"], entry["actor"], entry["cause"], entry.get("reason", ""))
            requested = (request.cause.source, request.cause.actor, caused_by, reason)
            cause = requested if at >= due else ("time", "", "", "")
            hashed = "salt" in entry or not entry["cause"]
            must("entries", hashed, "what caused it is not hashed")
            must("entries", seen == cause, f"caused by {seen}, must be {cause}")

    def _check_idempotency_record(self, commit: Commit, written: Written) -> None:
        """A request with an identity is recorded with its answer, under the customer it named."""
        request = commit.attempt.request
        identity = request.identity if commit.own else None
        count = len(written.idempotency_record)
        must("once", count == (1 if identity else 0), f"{request.name} is recorded {count} times")
        if identity is None:
            return
        ((who, item),) = written.idempotency_record
        name = _name(request.who, identity)
        must(
            "once",
            (who, item["sk"]) == (request.who, f"REQUEST#{name[1]}"),
            "recorded under another name",
        )
        must("once", name not in self._effects, f"{identity} has had an effect before")
        content = raw_items.content_hash(request.content)
        recorded = (item["content"], tuple(item["entry_ids"]), tuple(item["figures"]))
        expected = (content, commit.entry_ids, commit.figures)
        must("once", recorded == expected, f"recorded is {recorded}, must be {expected}")
        self._effects[name], self._contents[name] = commit, content


def _check_order_items(
    request: Request, before: OrderItems, after: OrderItems, written: Written
) -> None:
    """The order and the hold record are what the model says, where it says anything new."""
    orders = [raw_items.stored_order(item) for item in written.orders]
    expected = raw_items.expected_order(request.order_id, after)
    if orders or raw_items.expected_order(request.order_id, before) != expected:
        right = orders == [expected] and written.orders[0]["order_id"] == request.order_id
        must("effect", right, f"the order is {orders}, the model says {expected}")
    records = [raw_items.stored_record(item) for item in written.records]
    before_items = raw_items.expected_record(request.hold_id, after)
    if records or raw_items.expected_record(request.hold_id, before) != before_items:
        must(
            "effect",
            records == [before_items],
            f"the record is {records}, the model says {before_items}",
        )


def _check_orphaned(answer: Answer, written: Written) -> None:
    """The codes to be deactivated are the model's, and due at once."""
    seen = [raw_items.stored_orphaned_code(item) for item in written.orphaned_codes]
    expected = [(hold_id, code, until, 0, 0) for hold_id, code, until in answer.orphaned_codes]
    must("effect", seen == expected, f"orphaned codes are {seen}, the model says {expected}")


def _name(who: Who, identity: Identity) -> tuple[Who, str]:
    return who, raw_items.key_hash(identity.kind, identity.key)


def _of_shop(account_key: str) -> tuple[str, str]:
    """The shop of a key, and the rest of it."""
    start, shop, rest = account_key.split("#", 2)
    must("effect", start == "SHOP", f"{account_key} does not begin with a shop")
    return shop, rest


def _ids(who: Who, entries: list[Plain]) -> tuple[str, ...]:
    return tuple(raw_items.entry_id(who[1], entry["version"]) for entry in entries)


def _leaving(customer: Customer, now: datetime) -> list[Move]:
    """What happens to a customer before the merge: what is due, then the open hold ends."""
    customer.as_of = max(customer.as_of, now)
    customer.settle()
    if customer.hold is not None:
        customer.let_hold_go(now)
        customer.settle()
    return customer.journal


def _turned_round(move: Move) -> Move:
    """The other side of a merge."""
    away = {bucket: -points for bucket, points in move.changes.items()}
    return Move("points/sub/merge", away, move.at)
