"""The heads of all chains are recorded once a day, however often a run is cut off or started."""

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from local import demo
from pointbook.books_container import BooksContainer
from pointbook.domain.commands import Grant
from pointbook.domain.expiry import Days
from pointbook.domain.heads import Manifest, digest, heads_in
from pointbook.services import head_recorder
from pointbook.store import keys
from pointbook.store.table import Table
from tests.fakes.privacy import BUCKET
from tests.fakes.record_files import HEADS, MemoryRecords
from tests.support.harness import TABLE, Functions, event
from tests.support.ledgers import SetClock

SHOP, SECOND = demo.SHOP_DOMAIN, "second.myshopify.com"
CUSTOMERS = [str(8840734670900 + number) for number in range(9)]
DAY = timedelta(days=1)


class Shops(Functions):
    """Two shops with accounts, whose heads have not been recorded yet."""

    container_class = BooksContainer

    def __init__(self) -> None:
        self.s3 = MemoryRecords()
        self.clock = SetClock()
        parts = {"s3": self.s3, "clock": self.clock, "wall_clock": self.clock}
        super().__init__(parts, SHOP_DOMAIN=f"{SHOP},{SECOND}")  # type: ignore[arg-type]
        for number, customer_id in enumerate(CUSTOMERS):
            for _ in range(1 + number % 3):
                self.grant(customer_id)
        self.grant(CUSTOMERS[0], SECOND)

    def grant(self, customer_id: str, shop: str = SHOP) -> None:
        self.clock.pass_time(seconds=1)
        self.execute(Grant(10, Days(3000)), customer_id, shop)

    def record(self, seconds: float = 900) -> dict[str, Any]:
        return self.invoke("write_heads", event("write_heads", "schedule"), seconds)

    def manifest(self, shop: str = SHOP) -> Manifest:
        """The latest."""
        files = self.s3.latest(HEADS)
        return Manifest.parse(files[max(key for key in files if f"manifests/{shop}/" in key)])

    def recorded(self, shop: str = SHOP) -> dict[str, tuple[int, str]]:
        """The heads that the latest manifest names: version and hash by account."""
        files = self.s3.latest(HEADS)
        return {
            head.account_id: (head.version, head.entry_hash)
            for part in self.manifest(shop).parts
            for head in heads_in(files[part.key])
        }

    def manifests_written(self) -> set[int]:
        """How often each manifest was written."""
        files = self.s3.buckets[HEADS].items()
        return {len(versions) for key, versions in files if key.startswith("manifests")}

    def heads(self, shop: str = SHOP) -> dict[str, tuple[int, str]]:
        """The heads that the accounts have now."""
        found = (self.container.store.account(shop, customer_id) for customer_id in CUSTOMERS)
        return {one.account_id: (one.version, one.head) for one in found if one is not None}


@pytest.fixture
def shops() -> Shops:
    return Shops()


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pages of three items and files of two heads, so that a run has many steps."""
    scan = Table.scan

    def small(self: Any, *given: Any, **named: Any) -> Any:
        return scan(self, *given, **named | {"limit": 3})

    monkeypatch.setattr(Table, "scan", small)
    monkeypatch.setattr(head_recorder, "PART_HEADS", 2)
    return iter(())


def test_every_account_has_a_head_in_the_files_of_its_shop(shops: Shops) -> None:
    assert shops.record() == {"heads": 10, "days": 1, "complete": True}
    assert shops.recorded() == shops.heads()
    assert shops.recorded(SECOND) == shops.heads(SECOND)
    assert len(shops.heads(SECOND)) == 1


def test_no_file_that_is_locked_names_a_customer(shops: Shops) -> None:
    shops.record()
    locked = json.dumps([*map(str, shops.s3.latest(HEADS).items())])
    assert not [one for one in CUSTOMERS if one in locked]
    named = b"".join(shops.s3.latest(BUCKET).values()).decode()
    assert [one for one in CUSTOMERS if one not in named] == []
    assert {key.split("/")[0] for key in shops.s3.latest(BUCKET)} == {"account-names"}


def test_a_manifest_has_the_digests_of_its_files_and_of_the_manifest_before(shops: Shops) -> None:
    shops.record()
    first, files = shops.manifest(), shops.s3.latest(HEADS)
    assert first.previous is None
    assert [digest(files[part.key]) for part in first.parts] == [
        part.sha256 for part in first.parts
    ]
    shops.clock.pass_time(days=1)
    shops.record()
    second = shops.manifest()
    assert second.previous is not None
    assert (second.previous.day, second.day) == (first.day, first.day + DAY)
    assert second.previous.sha256 == digest(first.content())


def test_once_a_day_is_enough(shops: Shops) -> None:
    shops.record()
    before = dict(shops.s3.latest(HEADS))
    shops.grant(CUSTOMERS[0])
    assert shops.record() == {"heads": 0, "days": 0, "complete": True}
    assert shops.s3.latest(HEADS) == before


def test_the_day_is_that_of_the_stacks_time_zone(shops: Shops) -> None:
    shops.clock.at = shops.clock.at.replace(hour=15, minute=30)  # half past midnight in Tokyo
    shops.record()
    assert shops.manifest().day == shops.clock.at.date() + DAY


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("part_heads", [2, 1000])
def test_a_run_without_time_goes_on_where_it_ended(
    shops: Shops, monkeypatch: pytest.MonkeyPatch, part_heads: int
) -> None:
    """Also where its time is up before a file is full."""
    monkeypatch.setattr(head_recorder, "PART_HEADS", part_heads)
    results: list[dict[str, Any]] = []
    while not results or not results[-1]["complete"]:
        shops.container.clock = Ticking(shops.clock, seconds=9)
        results.append(shops.record(seconds=45))
        assert len(results) < 40
    assert len(results) > 3
    assert sum(one["heads"] for one in results) == 10, "no account twice"
    assert shops.recorded() == shops.heads()


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("client", ["s3", "dynamodb"])
def test_a_run_that_was_cut_off_anywhere_is_finished_by_the_next(client: str) -> None:
    for calls in count():
        shops = Shops()
        whole = getattr(shops.container, client)
        setattr(shops.container, client, CutOff(whole, calls))
        try:
            shops.record()
        except ConnectionAbortedError:
            setattr(shops.container, client, whole)
            assert shops.record()["complete"]
        else:
            assert calls > 12, "there are as many calls to be cut off at"
            return
        assert shops.recorded() == shops.heads()
        assert sum(part.heads for part in shops.manifest().parts) == len(shops.heads())
        assert shops.recorded(SECOND) == shops.heads(SECOND)
        assert shops.manifests_written() == {1}, "a second one would look like a forgery"


@pytest.mark.usefixtures("pages")
def test_two_runs_at_once_do_not_harm_each_other(shops: Shops) -> None:
    other = Meanwhile(shops.s3, shops.record)
    shops.container.s3 = other
    assert not shops.record()["complete"], "the other one has written everything"
    assert shops.recorded() == shops.heads()
    assert shops.manifests_written() == {1}


def test_a_day_that_was_begun_is_finished_before_todays(shops: Shops) -> None:
    shops.container.s3 = CutOff(shops.s3, 0)
    with pytest.raises(ConnectionAbortedError):
        shops.record()
    shops.container.s3 = shops.s3
    shops.clock.pass_time(days=1)
    assert shops.record() == {"heads": 20, "days": 2, "complete": True}


def test_a_date_in_the_future_does_not_stop_it(shops: Shops) -> None:
    """Whoever may write the table cannot switch the heads off there for good."""
    run = {**keys.key(keys.HEADS, keys.HEADS_RUN), "revision": {"N": "1"}}
    shops.table.put_item(TableName=TABLE, Item={**run, "last_day": {"S": "2999-01-01"}})
    assert shops.record()["heads"] == 10


def test_an_account_that_cannot_be_read_is_logged_and_keeps_no_other_from_its_head(
    shops: Shops, capsys: pytest.CaptureFixture[str]
) -> None:
    shops.damage(CUSTOMERS[1], head={"S": "damaged"})
    assert shops.record()["heads"] == 9
    (line,) = [one for one in capsys.readouterr().out.splitlines() if "head_unreadable" in one]
    assert json.loads(line)["customer_id"] == CUSTOMERS[1]


def test_an_erased_customers_account_has_its_head_under_the_same_name(shops: Shops) -> None:
    account = shops.container.store.account(SHOP, CUSTOMERS[0])
    assert account is not None
    name = account.account_id
    shops.record()
    before = shops.recorded()[name]
    shops.container.s3 = shops.bucket  # the erasure's own files
    payload = {"customer": {"id": int(CUSTOMERS[0])}, "orders_to_redact": []}
    redact = json.loads(event("privacy_events", "customers_redact")["Records"][0]["body"])
    redact["payload"] |= payload
    assert shops.work("privacy_events", json.dumps(redact)) == []
    shops.container.s3 = shops.s3
    shops.clock.pass_time(days=1)
    shops.record()
    assert shops.recorded()[name] == before
    assert len(shops.recorded()) == 9


class Ticking:
    """A clock on which each look takes some seconds."""

    def __init__(self, clock: SetClock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clock, name)

    def monotonic(self) -> float:
        self._clock.sleep(self._seconds)
        return self._clock.monotonic()


class CutOff:
    """A client, until so many calls have been made: then the function stops there."""

    def __init__(self, client: Any, calls: int) -> None:
        self._client = client
        self._left = calls

    def __getattr__(self, name: str) -> Any:
        if not self._left:
            raise ConnectionAbortedError
        self._left -= 1
        return getattr(self._client, name)


class Meanwhile:
    """S3, where somebody else acts once before the first call is answered."""

    def __init__(self, s3: MemoryRecords, act: Any) -> None:
        self._s3 = s3
        self._act: Any = act

    def __getattr__(self, name: str) -> Any:
        act, self._act = self._act, None
        if act is not None:
            act()
        return getattr(self._s3, name)
