"""What the daily heads need of the table: the accounts' heads, and how far today's run has come.

One item, for all shops. It is written after each file; a run that is cut off goes on behind the
last account in its files.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from pointbook import log
from pointbook.domain.heads import Head
from pointbook.store import keys
from pointbook.store.fields import BOOLEAN, HASH, INSTANT, NUMBER, TEXT, TEXTS, Codec, Format, many
from pointbook.store.items import SCHEMA
from pointbook.store.table import Put, Table
from pointbook.store.values import Item, Stored, binary_of, int_of, number, text, text_of

type Position = tuple[str, ...]
"""A place in the table, partition key and sort key: the last item that was read."""


class AccountHead(NamedTuple):
    """The head of an account, and whose it is."""

    shop: str
    customer_id: str
    head: Head


class HeadPage(NamedTuple):
    """Heads of accounts, and the place behind them; None at the end of the table."""

    heads: tuple[AccountHead, ...]
    position: Position | None


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """A file that this run has written: of which shop, its key, digest and number of heads."""

    shop: str
    key: str
    sha256: str
    heads: int


@dataclass(frozen=True, slots=True)
class HeadRun:
    """The run of a day: it goes on behind `position`, and has written `parts`.

    At the `end` of the table only the manifests are left.
    """

    day: date
    began_at: datetime
    position: Position | None = None
    end: bool = False
    parts: tuple[WrittenPart, ...] = ()


@dataclass(frozen=True, slots=True)
class HeadRuns:
    """The run under way, if there is one, and the last day that was finished.

    `revision` counts writes: whoever writes must have seen the latest.
    """

    running: HeadRun | None = None
    last_day: date | None = None
    revision: int = 0


_DAY = Format(lambda day: text(day.isoformat()), lambda value: date.fromisoformat(text_of(value)))
_PART = Codec(WrittenPart, shop=TEXT, key=TEXT, sha256=HASH, heads=NUMBER)
_RUN = Codec(
    HeadRun,
    day=_DAY,
    began_at=INSTANT,
    position=TEXTS.named("last_key").optional(),
    end=BOOLEAN.named("at_end").optional(False),
    parts=many(_PART.as_field).optional(()),
)
_RUNS = Codec(
    HeadRuns,
    running=_RUN.as_field.optional(),
    last_day=_DAY.optional(),
    revision=NUMBER,
)


class HeadRunStore:
    """The run of the daily heads, in the ledger's table.

    Raises LedgerUnavailable while the table cannot be reached, StoreRefused where it is set up
    wrongly.
    """

    def __init__(self, table: Table) -> None:
        """Keep it in `table`."""
        self._table = table.outside_ledger()

    def read(self) -> HeadRuns:
        """How far the heads are written."""
        item = self._table.get(_key())
        return _RUNS.read(item) if item else HeadRuns()

    def save(self, runs: HeadRuns) -> HeadRuns | None:
        """Write it unless somebody else has meanwhile: then None."""
        after = replace(runs, revision=runs.revision + 1)
        condition = (
            ("revision = :before", {":before": number(runs.revision)})
            if runs.revision
            else ("attribute_not_exists(pk)", {})
        )
        item = {**_key(), **SCHEMA, **_RUNS.write(after)}
        return after if self._table.put_if(Put(item, *condition)).done else None

    def heads(self, after: Position | None) -> HeadPage:
        """The heads among the next items, eventually consistent, in the table's own order.

        An account without entries has none, such as an erased customer's tombstone.
        """
        page = self._table.scan(
            "sk = :account",
            {":account": text(keys.ACCOUNT)},
            keys.key(*after) if after else None,
            consistent=False,
        )
        last = page.last_key
        return HeadPage(
            tuple(_heads_of(page.items)),
            (text_of(last["pk"]), text_of(last["sk"])) if last else None,
        )


def _heads_of(items: list[Stored]) -> Iterator[AccountHead]:
    for item in items:
        shop, customer_id = keys.parse(text_of(item["pk"]))
        try:
            version = int_of(item["version"])
            head = Head(text_of(item["book"]), version, binary_of(item["head"]).hex())
        except (KeyError, ValueError, TypeError):
            log.exception("head_unreadable", shop=shop, customer_id=customer_id)
            continue
        if version:
            yield AccountHead(shop, customer_id, head)


def _key() -> Item:
    return keys.key(keys.HEADS, keys.HEADS_RUN)
