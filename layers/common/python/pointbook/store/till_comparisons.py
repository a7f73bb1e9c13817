"""What the comparison with the till needs of the table: the accounts, how far it is, its results.

One item beside the shop has the comparison that is under way and the summary of the last finished
one. It is written whole, after each batch of members: a run that is cut off goes on with that
batch, and counts nobody twice.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pointbook.domain.erase import is_pseudonym
from pointbook.store import keys
from pointbook.store.fields import BOOLEAN, INSTANT, NUMBER, TEXTS, Codec
from pointbook.store.items import SCHEMA
from pointbook.store.table import Table
from pointbook.store.values import Item, Stored, text_of

PAGE_ITEMS = 200
"""Items that are read at once to find the accounts among them."""

type Position = tuple[str, ...]
"""A place in the table, partition key and sort key: the last item that was read."""


class AccountPage(NamedTuple):
    """Accounts, and the position after them; None at the end of the table."""

    customer_ids: tuple[str, ...]
    position: Position | None


@dataclass(frozen=True, slots=True)
class Totals:
    """What a comparison has come to, in members unless it is named points.

    `compared` are known to both; of these `equal` agree. Of the others the till has less for
    `till_less`, `till_less_points` in all, and more for `till_more`. It does not know
    `not_registered`, who have points, and `not_registered_without_points`. For `ambiguous` it has
    several members of one number. `not_compared` were tried in vain.
    """

    compared: int = 0
    equal: int = 0
    till_less: int = 0
    till_less_points: int = 0
    till_more: int = 0
    till_more_points: int = 0
    not_registered: int = 0
    not_registered_without_points: int = 0
    ambiguous: int = 0
    not_compared: int = 0

    @property
    def differing(self) -> int:
        """How many members differ."""
        return self.till_less + self.till_more

    def plus(self, other: "Totals") -> "Totals":
        """The sum of both."""
        return Totals(*(getattr(self, one) + getattr(other, one) for one in self.__slots__))


@dataclass(frozen=True, slots=True)
class Summary:
    """A finished comparison."""

    began_at: datetime
    finished_at: datetime
    totals: Totals


@dataclass(frozen=True, slots=True)
class Running:
    """A comparison under way.

    It goes on after `position`; at the `end` only the customers in `later` are left, who could not
    be compared yet.
    """

    began_at: datetime
    position: Position | None = None
    end: bool = False
    later: tuple[str, ...] = ()
    totals: Totals = Totals()


@dataclass(frozen=True, slots=True)
class Comparisons:
    """A shop's comparisons: the one under way, and the last finished one."""

    running: Running | None = None
    last: Summary | None = None


_TOTALS = Codec(Totals, **{one: NUMBER.optional(0) for one in Totals.__slots__}).as_field
_SUMMARY = Codec(Summary, began_at=INSTANT, finished_at=INSTANT, totals=_TOTALS)
_RUNNING = Codec(
    Running,
    began_at=INSTANT,
    position=TEXTS.named("last_key").optional(),
    end=BOOLEAN.named("at_end").optional(False),
    later=TEXTS.optional(()),
    totals=_TOTALS,
)
_COMPARISONS = Codec(
    Comparisons,
    running=_RUNNING.as_field.optional(),
    last=_SUMMARY.as_field.named("last_finished").optional(),
)


class TillComparisons:
    """The comparisons of all shops, in the ledger's table.

    Raises LedgerUnavailable while the table cannot be reached, StoreRefused where it is set up
    wrongly.
    """

    def __init__(self, table: Table) -> None:
        """Keep them in `table`."""
        self._table = table.outside_ledger()

    def read(self, shop: str) -> Comparisons:
        """A shop's comparisons; `last` is what `GET /v1/operator/till` shows."""
        item = self._table.get(_key(shop))
        return _COMPARISONS.read(item) if item else Comparisons()

    def save(self, shop: str, comparisons: Comparisons) -> None:
        """Write them over whatever is there."""
        self._table.put({**_key(shop), **SCHEMA, **_COMPARISONS.write(comparisons)})

    def accounts(
        self, shop: str, after: Position | None, limit: int | None = PAGE_ITEMS
    ) -> AccountPage:
        """The accounts of a shop among the next items, in the table's own order.

        Neither the erased nor the merged, whose points are no longer under their own ids.
        Eventually consistent, at half the price. No `limit`: as many items as DynamoDB sends.
        """
        page = self._table.everything(keys.key(*after) if after else None, limit)
        last = page.last_key
        return AccountPage(
            tuple(_customer(item) for item in page.items if _has_points(shop, item)),
            (text_of(last["pk"]), text_of(last["sk"])) if last else None,
        )

    def count(self, shop: str) -> int:
        """How many accounts there are to compare; reads the whole table."""
        found, position = 0, None
        while True:
            page = self.accounts(shop, position, limit=None)
            found, position = found + len(page.customer_ids), page.position
            if position is None:
                return found

    @staticmethod
    def after(shop: str, customer_id: str) -> Position:
        """The position after a customer's account."""
        return keys.customer(shop, customer_id), keys.ACCOUNT


def _has_points(shop: str, item: Stored) -> bool:
    """Whether this is the account of somebody whom Shopify and the till may know."""
    pk = text_of(item["pk"])
    if text_of(item["sk"]) != keys.ACCOUNT or not pk.startswith(f"{keys.shop(shop)}#"):
        return False
    is_tombstone = "erased" in item or "merged_into" in item
    return not is_tombstone and not is_pseudonym(keys.parse(pk)[1])


def _customer(item: Stored) -> str:
    return keys.parse(text_of(item["pk"]))[1]


def _key(shop: str) -> Item:
    return keys.key(keys.shop(shop), keys.TILL_COMPARISON)
