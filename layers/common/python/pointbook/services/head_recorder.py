"""Records the heads of all chains, once a day, in files that cannot be overwritten.

    begin ── accounts ── accounts ── ... ── end of the table ── a manifest for each shop
               │           after each file the progress is kept; a run that is cut off, or that
               └────────── has no more time, is continued there by the next one

A file is named after its content, so a run that is started twice overwrites nothing: the manifest
names the files that count. Beside the heads, which name no customer, the customers of the accounts
are kept in files that are deleted after 30 days. docs/hash-chain.md, "Daily heads".
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Protocol
from zoneinfo import ZoneInfo

from pointbook import log
from pointbook.deadline import Deadline
from pointbook.domain.heads import Manifest, Part, Previous, digest, head_lines, lines
from pointbook.domain.ports import Clock
from pointbook.store.head_runs import (
    AccountHead,
    HeadRun,
    HeadRuns,
    HeadRunStore,
    Position,
    WrittenPart,
)

PART_HEADS = 20_000
"""Heads in one file: some 3 MB."""

FLUSH_SECONDS = 10.0
"""The time that is kept for writing what has been read."""

UNITS_PER_SECOND = 500.0
"""Some 4 MB a second: little beside what a table on demand can read."""

MANIFESTS = "manifests"
HEADS = "heads"
NAMES = "account-names"
"""The folders: manifests and heads in the bucket of heads, the accounts' customers elsewhere."""


class Files(Protocol):
    """Files in a bucket. Raises Unavailable."""

    def put(self, key: str, content: bytes) -> None:
        """Write a file."""
        ...

    def get(self, key: str) -> bytes:
        """The content of a file that `keys` has named."""
        ...

    def keys(self, prefix: str) -> Iterable[str]:
        """The keys that begin so, in their order."""
        ...


@dataclass(slots=True)
class HeadsResult:
    """The heads that this run has written. Not `complete`: the next run goes on."""

    heads: int = 0
    days: int = 0
    complete: bool = True


@dataclass(frozen=True, slots=True)
class HeadRecorder:
    """The daily heads of a stack. `clock` is the ledger's, whose day in `time_zone` it is.

    `names` is where the accounts' customers are kept; what it holds is deleted after 30 days.
    """

    store: HeadRunStore
    files: Files
    names: Files
    clock: Clock
    time_zone: str

    def run(self, shops: Iterable[str], seconds: float) -> HeadsResult:
        """Record today's heads, for at most `seconds`. Raises LedgerUnavailable, Unavailable."""
        result, deadline = HeadsResult(), Deadline.after(seconds, self.clock.monotonic)
        try:
            self._days(tuple(shops), deadline, result)
        except AnotherRunError:
            result.complete = False
            log.warning("heads_written_by_another_run")
        log.info("heads_written", **asdict(result))
        return result

    def _days(self, shops: tuple[str, ...], deadline: Deadline, result: HeadsResult) -> None:
        """Finish the day that was begun, and then today's."""
        runs = self.store.read()
        while runs.running is not None or runs.last_day != self._today():
            if runs.running is None:
                begun = HeadRun(self._today(), self.clock.now())
                runs = self._saved(replace(runs, running=begun))
            ended = _Run(self, runs, deadline, result).to_the_end(shops)
            if ended is None:
                result.complete = False
                return
            runs = ended
            result.days += 1

    def _today(self) -> date:
        return self.clock.now().astimezone(ZoneInfo(self.time_zone)).date()

    def _saved(self, runs: HeadRuns) -> HeadRuns:
        saved = self.store.save(runs)
        if saved is None:
            raise AnotherRunError
        return saved


class AnotherRunError(Exception):
    """Another run writes the heads at the same time."""


class _Run:
    """The rest of one day; how far it has come is kept after each file."""

    def __init__(
        self, recorder: HeadRecorder, runs: HeadRuns, deadline: Deadline, result: HeadsResult
    ) -> None:
        assert runs.running is not None, "a run has begun"
        self._recorder = recorder
        self._runs = runs
        self._running = runs.running
        self._deadline = deadline
        self._result = result
        self._position = runs.running.position
        self._read: list[AccountHead] = []

    def to_the_end(self, shops: tuple[str, ...]) -> HeadRuns | None:
        """Go on until all is written, or None if the time is up before."""
        while not self._running.end:
            if not self._deadline.allows(FLUSH_SECONDS):
                if self._position is not None and self._position != self._running.position:
                    self._write(self._position)
                return None
            page = self._recorder.store.heads(self._position)
            self._read += page.heads
            self._position = page.position
            if page.position is None or len(self._read) >= PART_HEADS:
                self._write(page.position)
        for shop in shops:
            self._write_manifest(shop)
        ended = HeadRuns(None, self._running.day, self._runs.revision)
        return self._recorder._saved(ended)

    def _write(self, position: Position | None) -> None:
        """Write what was read into a file for each shop, and keep that; no position: it was all."""
        parts = (
            *self._running.parts,
            *(
                self._write_part(shop, [one for one in self._read if one.shop == shop])
                for shop in sorted({one.shop for one in self._read})
            ),
        )
        self._result.heads += len(self._read)
        self._read = []
        self._running = replace(self._running, position=position, end=position is None, parts=parts)
        self._runs = self._recorder._saved(replace(self._runs, running=self._running))

    def _write_part(self, shop: str, read: list[AccountHead]) -> WrittenPart:
        content = head_lines(one.head for one in read)
        sha256 = digest(content)
        name = f"{shop}/{self._running.day}/{sha256}.jsonl"
        owners = ({"account": one.head.account_id, "customer_id": one.customer_id} for one in read)
        self._recorder.names.put(f"{NAMES}/{name}", lines(owners))
        self._recorder.files.put(f"{HEADS}/{name}", content)
        return WrittenPart(shop, f"{HEADS}/{name}", sha256, len(read))

    def _write_manifest(self, shop: str) -> None:
        """Write what says which files there are, unless it was written before."""
        files, day = self._recorder.files, self._running.day
        folder = f"{MANIFESTS}/{shop}/"
        key, days = f"{folder}{day}.json", list(files.keys(folder))
        if key in days:
            return
        before = max((one for one in days if one < key), default=None)
        manifest = Manifest(
            shop=shop,
            day=day,
            began_at=self._running.began_at,
            finished_at=self._recorder.clock.now(),
            parts=tuple(
                Part(one.key, one.sha256, one.heads)
                for one in self._running.parts
                if one.shop == shop
            ),
            previous=self._previous(before) if before else None,
        )
        files.put(key, manifest.content())

    def _previous(self, key: str) -> Previous:
        day = date.fromisoformat(key.rpartition("/")[2].removesuffix(".json"))
        return Previous(day, digest(self._recorder.files.get(key)))
