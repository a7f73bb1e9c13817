"""Privacy requests: kept while they are worked on, and for ever as proof."""

from collections.abc import Iterator
from dataclasses import replace

from pointbook.domain.privacy import Kind, PrivacyRequest, State
from pointbook.store import keys
from pointbook.store.fields import (
    BOOLEAN,
    INSTANT,
    NUMBER,
    TEXT,
    TEXTS,
    Codec,
    Format,
    one_of,
)
from pointbook.store.items import SCHEMA
from pointbook.store.ledger_transactions import put_unchanged
from pointbook.store.table import Table
from pointbook.store.values import (
    Item,
    Stored,
    fields_of,
    instant,
    int_of,
    mapping,
    number,
    sequence,
    text,
    texts,
    texts_of,
    values_of,
)

_COUNTS = Format(
    lambda counts: mapping({name: number(done) for name, done in counts.items()}),
    lambda value: {name: int_of(done) for name, done in fields_of(value).items()},
)
_PSEUDONYMS = Format(
    lambda pseudonyms: sequence(texts(pair) for pair in pseudonyms.items()),
    lambda value: {pair[0]: pair[1] for pair in map(texts_of, values_of(value))},
)
_REQUEST = Codec(
    PrivacyRequest,
    kind=one_of(Kind),
    shop=TEXT,
    subject=TEXT,
    received_at=INSTANT,
    customer_id=TEXT.named("customer").optional(),
    order_ids=TEXTS.named("orders"),
    state=one_of(State),
    revision=NUMBER,
    pseudonyms=_PSEUDONYMS,
    position=TEXTS.optional(),
    counts=_COUNTS,
    reason=TEXT,
    confirmed=BOOLEAN,
    finished_at=INSTANT.optional(),
)


class PrivacyRequests:
    """The privacy requests of all shops, in the ledger's table."""

    def __init__(self, table: Table) -> None:
        """Keep them in `table`."""
        self._table = table.outside_ledger()

    def find(self, kind: Kind, shop: str, subject: str) -> PrivacyRequest | None:
        """One request."""
        item = self._table.get(_key(kind, shop, subject))
        return _REQUEST.read(item) if item else None

    def at(self, key: Item) -> PrivacyRequest | None:
        """The request under a key of the table."""
        item = self._table.get(key)
        return _REQUEST.read(item) if item else None

    def save(self, request: PrivacyRequest) -> PrivacyRequest | None:
        """Write a new request, or what has become of one since it was read.

        Returns it with the revision of the next write; None: somebody else wrote it meanwhile.
        """
        saved = replace(request, revision=request.revision + 1)
        outcome = self._table.put_if(put_unchanged(_item(saved), saved.revision))
        return saved if outcome.done else None

    def all_of(self, shop: str) -> Iterator[PrivacyRequest]:
        """Every request of a shop, also those to erase the shop, done or not."""
        yield from self._beginning(keys.shop(shop), keys.PRIVACY_REQUEST)
        yield from self._beginning(keys.SHOP_ERASURES, keys.privacy_request(Kind.SHOP, shop))

    def for_data_of(self, shop: str, customer_id: str) -> list[PrivacyRequest]:
        """The requests for a customer's data."""
        prefix = keys.privacy_request(Kind.DATA, f"{customer_id}#")
        return list(self._beginning(keys.shop(shop), prefix))

    def delete(self, request: PrivacyRequest) -> None:
        """Keep nothing of a request."""
        self._table.delete(_key(request.kind, request.shop, request.subject))

    def _beginning(self, pk: str, prefix: str) -> Iterator[PrivacyRequest]:
        values = {":pk": text(pk), ":prefix": text(prefix)}
        found = self._table.query("pk = :pk AND begins_with(sk, :prefix)", values)
        yield from map(_REQUEST.read, found)


def request_of(item: Stored) -> PrivacyRequest:
    """The request that an item holds."""
    return _REQUEST.read(item)


def _key(kind: Kind, shop: str, subject: str) -> Item:
    pk = keys.SHOP_ERASURES if kind is Kind.SHOP else keys.shop(shop)
    return keys.key(pk, keys.privacy_request(kind, subject))


def _item(request: PrivacyRequest) -> Item:
    key = _key(request.kind, request.shop, request.subject)
    return {**key, **SCHEMA, **_REQUEST.write(request), "due_at": instant(request.due_at)}
