"""Whoever rewrites chains, cuts them off or deletes accounts is found by what was recorded."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from pointbook.aws.metered import MeteredClient
from pointbook.aws.record_files import RecordFiles
from pointbook.domain.buckets import Bucket
from pointbook.domain.chain import hash_of
from pointbook.domain.closings import Closing
from pointbook.domain.heads import Manifest, RecordedHeads, UnreadableHeadsError, heads_in
from pointbook.domain.lots import added
from pointbook.domain.privacy import Kind, PrivacyRequest, State
from pointbook.domain.reconcile import Damage
from pointbook.domain.records import Records
from pointbook.errors import Unavailable
from pointbook.services.head_recorder import HeadRecorder
from pointbook.services.recorded_heads import AccountNames, LoadedHeads, load_heads
from pointbook.services.verification import Fault, Verification
from pointbook.store import items, keys
from pointbook.store.head_runs import HeadRunStore
from pointbook.store.ledger_reader import LedgerReader
from pointbook.store.privacy_requests import PrivacyRequests
from pointbook.store.table import Table
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.privacy import PrivacyDriver
from tests.fakes.record_files import HEADS, MemoryRecords
from tests.support.engine import MEMORY, SHOP, opened
from tests.support.examples import CUSTOMER, NOON, OTHER
from tests.support.ledgers import LedgerDriver, SetClock
from tests.support.verified import faults_in

type Item = dict[str, Any]

NAMES = "names"
LONG_AGO = date(2000, 1, 1)
FIRST = NOON.date()
SECOND = FIRST + timedelta(days=1)


class Books:
    """Two customers with four entries each, and the heads of two days."""

    def __init__(self) -> None:
        self.engine = opened(MEMORY, MemoryDynamoDB())
        self.driver = LedgerDriver(self.engine)
        self.clock = SetClock()
        self.s3 = MemoryRecords()
        for customer_id in (CUSTOMER, OTHER):
            self.grant(customer_id, 2)
        self.record()
        self.clock.pass_time(days=1)
        for customer_id in (CUSTOMER, OTHER):
            self.grant(customer_id, 2)
        self.record()

    def grant(self, customer_id: str, times: int) -> None:
        """Some entries of 10 points."""
        self.driver.clock.at = self.clock.at
        for _ in range(times):
            self.driver.grant(10, customer_id=customer_id)

    def record(self) -> None:
        """The heads of the day."""
        store = HeadRunStore(Table(self.engine.client, self.engine.table))
        heads, names = RecordFiles(self.s3, HEADS), RecordFiles(self.s3, NAMES)
        HeadRecorder(store, heads, names, self.clock, "Asia/Tokyo").run((SHOP,), 900)

    def load(self, since: date = LONG_AGO, erased_at: datetime | None = None) -> LoadedHeads:
        """What was recorded, which `heads` has then."""
        self.heads = RecordedHeads()
        return load_heads(RecordFiles(self.s3, HEADS), SHOP, since, erased_at, self.heads)

    def verification(
        self, faults: list[Fault], closings: Iterable[Closing] = (), client: Any = None
    ) -> Verification:
        """A verification that compares with all heads, and some closings."""
        self.load()
        records, clock = Records(self.heads, tuple(closings)), SetClock()
        client, table = client or self.engine.client, self.engine.table
        reader = LedgerReader(MeteredClient(client, clock), table, clock, records)
        requests = PrivacyRequests(Table(client, table))
        names = AccountNames(RecordFiles(self.s3, NAMES))
        return Verification(reader, requests, faults.append, records, names)

    def faults(self, closings: Iterable[Closing] = (), client: Any = None) -> list[Fault]:
        """What verifying everything finds."""
        faults: list[Fault] = []
        self.verification(faults, closings, client).everything(None, lambda _: None)
        return faults

    def found(self) -> list[tuple[str, str, int]]:
        """The same as customer, kind and version."""
        return [(one.customer_id, one.kind, one.version) for one in self.faults()]

    def found_of(self, customer_id: str) -> list[tuple[str, str, int]]:
        """What verifying one customer finds."""
        faults: list[Fault] = []
        self.verification(faults).customer(SHOP, customer_id)
        return [(one.customer_id, one.kind, one.version) for one in faults]

    # --- what somebody does who may write the table ---------------------------------------------

    def rewrite(self, customer_id: str, first: int) -> None:
        """Have somebody else act from an entry on, and compute all hashes anew."""
        account = self.driver.store.account(SHOP, customer_id)
        assert account is not None
        entries = self.driver.store.entries(SHOP, customer_id, before_version=10**9, limit=100)
        head = ""
        for booked in reversed(entries):
            cause = booked.cause
            if booked.entry.version >= first:
                cause = replace(cause, actor="somebody else")
            digest = booked.text_digest
            entry_hash = hash_of(booked.entry, account.account_id, cause, digest, head)
            fresh = replace(booked, cause=cause, previous_hash=head, entry_hash=entry_hash)
            self.put(items.entry_item(SHOP, fresh))
            head = entry_hash
        self.put(items.account_item(SHOP, replace(account, head=head)))

    def cut_off(self, customer_id: str) -> None:
        """Take the last entry away, and have the account agree: as it was one grant earlier."""
        account = self.driver.store.account(SHOP, customer_id)
        assert account is not None
        last, earlier = self.driver.store.entries(SHOP, customer_id, before_version=10**9, limit=2)
        rewound = replace(
            account,
            version=earlier.entry.version,
            head=earlier.entry_hash,
            balances=account.balances.moved(tuple((one, -n) for one, n in last.entry.moves)),
            lots=added(account.lots, [one._replace(points=-one.points) for one in last.entry.lots]),
        )
        self.put(items.account_item(SHOP, rewound))
        self.delete(customer_id, keys.entry(last.entry.version))

    def delete_account(self, customer_id: str) -> None:
        """Delete all there is of a customer."""
        pk = keys.customer(SHOP, customer_id)
        for item in self.engine.client.scan(TableName=self.engine.table)["Items"]:
            if item["pk"]["S"] == pk:
                self.delete(customer_id, item["sk"]["S"])

    def put(self, item: Any) -> None:
        self.engine.client.put_item(TableName=self.engine.table, Item=item)

    def delete(self, customer_id: str, sk: str) -> None:
        key = keys.key(keys.customer(SHOP, customer_id), sk)
        self.engine.client.delete_item(TableName=self.engine.table, Key=key)


@pytest.fixture
def books() -> Books:
    return Books()


def test_a_sound_ledger_agrees_with_its_heads(books: Books) -> None:
    assert books.faults() == []
    assert books.load() == LoadedHeads([FIRST, SECOND], [])
    assert len(books.heads.accounts(SHOP)) == 2


def test_entries_since_the_last_heads_are_no_fault(books: Books) -> None:
    books.grant(CUSTOMER, 3)
    assert books.faults() == []


@pytest.mark.parametrize(("first", "version"), [(1, 2), (2, 2), (3, 4), (4, 4)])
def test_a_rewritten_chain_is_found_by_its_heads_and_by_nothing_else(
    books: Books, first: int, version: int
) -> None:
    books.clock.pass_time(days=1)
    books.record()  # the same heads once more: the day is the first on which they were recorded
    books.rewrite(CUSTOMER, first)
    assert faults_in(books.engine.client, books.engine.table) == []
    (fault,) = books.faults()
    assert (fault.customer_id, fault.kind, fault.version) == (CUSTOMER, Damage.REWRITTEN, version)
    since = "from the first entry on" if version == 2 else "after entry 2"
    day = FIRST if version == 2 else SECOND
    assert fault.what.startswith(f"entry {version} is not the one that was recorded on {day}:")
    assert fault.what.endswith(f"the chain was rewritten {since}")
    assert books.found_of(CUSTOMER) == [(CUSTOMER, Damage.REWRITTEN, version)]
    assert books.found_of(OTHER) == []


def test_an_entry_that_was_cut_off_with_its_account_is_found_by_the_heads(books: Books) -> None:
    books.cut_off(CUSTOMER)
    assert faults_in(books.engine.client, books.engine.table) == []
    (fault,) = books.faults()
    assert (fault.customer_id, fault.kind, fault.version) == (CUSTOMER, Damage.CUT_OFF, 3)
    assert fault.what == f"on {SECOND} there were 4 entries, now there are 3"
    books.record()
    books.clock.pass_time(days=1)
    books.record()
    assert books.found() == [(CUSTOMER, Damage.CUT_OFF, 3)], "also after heads of the cut chain"


def test_an_entry_cut_off_and_replaced_is_rewritten(books: Books) -> None:
    books.cut_off(CUSTOMER)
    books.driver.grant(99)
    assert books.found() == [(CUSTOMER, Damage.REWRITTEN, 4)]


def test_an_account_that_was_deleted_is_found_by_the_heads_and_named(books: Books) -> None:
    books.delete_account(CUSTOMER)
    assert faults_in(books.engine.client, books.engine.table) == []
    (fault,) = books.faults()
    assert (fault.customer_id, fault.kind, fault.version) == (CUSTOMER, Damage.GONE, 0)
    assert f"had 4 entries on {SECOND}" in fault.what
    assert books.found_of(CUSTOMER) == [(CUSTOMER, Damage.GONE, 0)]
    assert books.found_of(OTHER) == []


def test_an_account_that_was_deleted_and_opened_anew_is_found(books: Books) -> None:
    books.delete_account(CUSTOMER)
    books.driver.grant(40)
    for _ in range(2):
        assert books.found() == [(CUSTOMER, Damage.GONE, 0)]
        assert books.found_of(CUSTOMER) == [(CUSTOMER, Damage.GONE, 0)]
        books.clock.pass_time(days=1)
        books.record()  # the new account has heads from now on


def test_a_deleted_account_is_found_after_its_customers_name_is(books: Books) -> None:
    books.delete_account(CUSTOMER)
    books.s3.buckets[NAMES].clear()
    assert books.found() == [("", Damage.GONE, 0)]


def test_a_deleted_account_is_found_while_names_cannot_be_read(books: Books) -> None:
    books.delete_account(CUSTOMER)
    faults: list[Fault] = []
    verification = books.verification(faults)
    books.s3.down = 1
    verification.everything(None, lambda _: None)
    (fault,) = faults
    assert (fault.customer_id, fault.kind) == ("", Damage.GONE)
    assert fault.what.endswith("; whose it was cannot be read now")


def test_a_deleted_account_stays_found_after_later_heads_without_it(books: Books) -> None:
    books.delete_account(CUSTOMER)
    for _ in range(2):
        books.clock.pass_time(days=1)
        books.record()
    assert books.found() == [(CUSTOMER, Damage.GONE, 0)]
    assert books.found_of(CUSTOMER) == [(CUSTOMER, Damage.GONE, 0)]


def test_another_shop_is_not_asked_for_its_accounts(books: Books) -> None:
    books.delete_account(CUSTOMER)
    faults: list[Fault] = []
    books.verification(faults).everything("second.myshopify.com", lambda _: None)
    assert faults == []


def test_an_erased_customers_account_is_not_gone_and_still_compared(books: Books) -> None:
    privacy = PrivacyDriver(books.engine, books.clock)
    privacy.redact(CUSTOMER)
    assert books.faults() == []
    assert books.found_of(CUSTOMER) == []
    scanned = books.engine.client.scan(TableName=books.engine.table)["Items"]
    (pseudonym,) = {
        item["pk"]["S"].rpartition("#")[2] for item in scanned if "#CUSTOMER#0" in item["pk"]["S"]
    }
    books.rewrite(pseudonym, 1)
    assert books.found() == [(pseudonym, Damage.REWRITTEN, 2)]


def test_a_customer_who_is_erased_while_everything_is_read_is_not_gone(books: Books) -> None:
    """Their account moves to a place that may have been read already."""
    client = Erasing(books)
    assert books.faults(client=client) == []
    assert client.scans == 2, "what is missing at first is looked for again"


class Erasing:
    """A table whose first scan misses an account that moves meanwhile."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self.scans = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._books.engine.client, name)

    def scan(self, **request: Any) -> Item:
        """A page; of the first, without the account and what it moves to."""
        self.scans += 1
        page: Item = self._books.engine.client.scan(**request)
        if self.scans == 1:
            pk = {"S": keys.customer(SHOP, CUSTOMER)}
            page = {**page, "Items": [item for item in page["Items"] if item["pk"] != pk]}
            PrivacyDriver(self._books.engine, self._books.clock).redact(CUSTOMER)
        return page


def test_heads_of_before_a_shop_was_erased_are_passed_over(books: Books) -> None:
    assert books.load(erased_at=NOON + timedelta(hours=1)).days == [SECOND]
    assert books.load(erased_at=books.clock.at).days == []
    assert books.heads.shops == ()


def test_a_shop_that_is_being_erased_has_no_faults(books: Books) -> None:
    books.delete_account(CUSTOMER)
    requests = PrivacyRequests(Table(books.engine.client, books.engine.table))
    requests.save(PrivacyRequest(Kind.SHOP, SHOP, SHOP, NOON, state=State.OPEN))
    assert books.found() == []


# --- the files ------------------------------------------------------------------------------------


def key_of(books: Books, day: date, folder: str = "manifests") -> str:
    """The key of a day's file."""
    (found,) = (
        key for key in books.s3.buckets[HEADS] if key.startswith(folder) and str(day) in key
    )
    return found


def overwrite_manifest(books: Books) -> None:
    key = key_of(books, SECOND)
    content = books.s3.latest(HEADS)[key]
    forged = replace(Manifest.parse(content), parts=()).content()
    books.s3.buckets[HEADS][key].append(forged)


def hide_manifest(books: Books) -> None:
    books.s3.hide(HEADS, key_of(books, SECOND))


def hide_heads(books: Books) -> None:
    books.s3.hide(HEADS, key_of(books, SECOND, "heads"))


def overwrite_heads(books: Books) -> None:
    books.s3.buckets[HEADS][key_of(books, SECOND, "heads")].append(b"")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (overwrite_manifest, ["was written 2 times: the first one counts"]),
        (hide_manifest, []),
        (hide_heads, []),
        (overwrite_heads, []),
    ],
)
def test_who_may_write_the_bucket_hides_nothing_while_it_is_locked(
    books: Books, spoil: Callable[[Books], None], said: list[str]
) -> None:
    books.rewrite(CUSTOMER, 4)
    spoil(books)
    assert books.found() == [(CUSTOMER, Damage.REWRITTEN, 4)]
    faults = books.load().faults
    assert [one for one in faults if not any(one.endswith(end) for end in said)] == []
    assert len(faults) == len(said)


def lose_first(books: Books) -> None:
    del books.s3.buckets[HEADS][key_of(books, FIRST)]


def lose_heads(books: Books) -> None:
    del books.s3.buckets[HEADS][key_of(books, SECOND, "heads")]


def forge_first(books: Books) -> None:
    key = key_of(books, FIRST)
    forged = replace(Manifest.parse(books.s3.latest(HEADS)[key]), parts=()).content()
    books.s3.buckets[HEADS][key] = [forged]


def forge_heads(books: Books) -> None:
    key = key_of(books, SECOND, "heads")
    books.s3.buckets[HEADS][key] = [b'{"account":"x","version":1,"hash":""}\n']


def damage_manifest(books: Books) -> None:
    books.s3.buckets[HEADS][key_of(books, FIRST)] = [b"{}"]


def add_stranger(books: Books) -> None:
    books.s3.buckets[HEADS][f"manifests/{SHOP}/notes.txt"] = [b""]


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lose_first, f"the heads of {FIRST} are missing, which manifests/{SHOP}/{SECOND}.json"),
        (lose_heads, "is missing"),
        (forge_first, f"{SECOND}.json does not name the heads of {FIRST} as they are"),
        (forge_heads, f"is not what was written on {SECOND}"),
        (damage_manifest, f"{FIRST}.json cannot be read: "),
        (add_stranger, "notes.txt is no file of heads"),
    ],
)
def test_a_file_that_is_missing_or_altered_is_named(
    books: Books, spoil: Callable[[Books], None], what: str
) -> None:
    """As in a bucket that is not locked, or no longer."""
    spoil(books)
    assert [one for one in books.load().faults if what in one]


def test_days_before_the_first_that_is_wanted_are_not_read(books: Books) -> None:
    lose_first(books)
    assert books.load(since=SECOND) == LoadedHeads([SECOND], [])


def test_a_bucket_that_cannot_be_reached_is_said(books: Books) -> None:
    books.s3.down = 1
    with pytest.raises(Unavailable):
        books.load()


@pytest.mark.parametrize("content", [b"{", b"{}", b"[]", b'{"account":"x"}'])
def test_a_file_that_is_no_file_of_heads_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableHeadsError):
        list(heads_in(content))
    with pytest.raises(UnreadableHeadsError):
        Manifest.parse(content)


def test_the_files_are_what_the_documentation_shows(books: Books) -> None:
    manifest = json.loads(books.s3.latest(HEADS)[key_of(books, SECOND)])
    assert list(manifest) == [
        *("format", "shop", "day", "began_at", "finished_at", "heads", "parts", "previous")
    ]
    assert (manifest["format"], manifest["heads"]) == (1, 2)
    line = books.s3.latest(HEADS)[key_of(books, SECOND, "heads")].splitlines()[0]
    assert list(json.loads(line)) == ["account", "version", "hash"]


# --- closing figures ------------------------------------------------------------------------------


def closing(day: date, **points: int) -> Closing:
    """What the statement of a day says."""
    until = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)  # midnight in Tokyo
    return Closing(SHOP, day, until, {Bucket(name): value for name, value in points.items()})


def test_statements_that_close_with_what_the_entries_say_are_no_fault(books: Books) -> None:
    right = (closing(SECOND, approved=80, issued=-80, spent=0), closing(FIRST, approved=40))
    assert books.faults(right) == []


def test_a_statement_that_closes_with_anything_else_is_named_by_its_day(books: Books) -> None:
    wrong = (closing(FIRST, approved=40, spent=1), closing(SECOND, approved=81, issued=-80))
    faults = books.faults(wrong)
    assert {(one.shop, one.customer_id, one.kind) for one in faults} == {(SHOP, "", "statement")}
    said = "the statement of {} does not close with what the entries say: {}"
    assert [one.what for one in faults] == [
        said.format(FIRST, "spent 1 (entries: 0)"),
        said.format(SECOND, "approved 81 (entries: 80)"),
    ]


def test_an_entry_recorded_after_the_end_of_a_day_is_not_in_its_closing(books: Books) -> None:
    """The first instant after the day belongs to the next one."""
    books.clock.at = closing(SECOND).until
    books.grant(CUSTOMER, 1)
    assert books.faults((closing(SECOND, approved=80),)) == []


def test_a_customer_who_is_erased_while_statements_are_compared_is_counted(books: Books) -> None:
    right = (closing(SECOND, approved=80),)
    assert books.faults(right, client=Erasing(books)) == []


def test_an_account_that_is_met_twice_counts_once(books: Books) -> None:
    privacy = PrivacyDriver(books.engine, books.clock)
    client = books.engine.client
    before = [dict(item) for item in client.scan(TableName=books.engine.table)["Items"]]
    privacy.redact(CUSTOMER)
    for item in before:  # as if the old place were read before the move, and the new one after
        if item["pk"]["S"] == keys.customer(SHOP, CUSTOMER) and item["sk"]["S"] != keys.OUTBOX:
            books.put(item)
    wrong = [one.kind for one in books.faults((closing(SECOND, approved=80),))]
    assert Damage.STATEMENT not in wrong


def test_closings_are_compared_also_where_no_heads_are_recorded(books: Books) -> None:
    books.s3.buckets.clear()
    (fault,) = books.faults((closing(SECOND, approved=81),))
    assert fault.kind == Damage.STATEMENT
