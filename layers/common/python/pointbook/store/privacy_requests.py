"""Privacy requests: kept while they are worked on, and for ever as proof."""

from collections.abc import Iterator
from dataclasses import replace

from pointbook.domain.privacy import Kind, PrivacyRequest, State
from pointbook.store import keys
from pointbook.store.items import SCHEMA
from pointbook.store.requests import put_unchanged
from pointbook.store.table import Table
from pointbook.store.values import (
    Item,
    Stored,
    boolean,
    boolean_of,
    fields_of,
    instant,
    instant_of,
    int_of,
    mapping,
    number,
    optional_instant,
    optional_text,
    sequence,
    text,
    text_of,
    texts,
    texts_of,
    values_of,
)


class PrivacyRequests:
    """The privacy requests of all shops, in the ledger's table.

    Raises LedgerUnavailable while the table cannot be reached.
    """

    def __init__(self, table: Table) -> None:
        """Keep them in `table`."""
        self._table = table.outside_ledger()

    def find(self, kind: Kind, shop: str, subject: str) -> PrivacyRequest | None:
        """One request."""
        item = self._table.get(_key(kind, shop, subject))
        return _request_of(item) if item else None

    def save(self, request: PrivacyRequest) -> PrivacyRequest | None:
        """Write a new request, or what has become of one since it was read.

        Returns it with the revision of the next write; None: somebody else wrote it meanwhile.
        """
        revision = request.revision + 1
        outcome = self._table.put_if(put_unchanged(_item(request), revision))
        return replace(request, revision=revision) if outcome.done else None

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
        yield from map(_request_of, found)


def _key(kind: Kind, shop: str, subject: str) -> Item:
    pk = keys.SHOP_ERASURES if kind is Kind.SHOP else keys.shop(shop)
    return keys.key(pk, keys.privacy_request(kind, subject))


def _item(request: PrivacyRequest) -> Item:
    item: Item = {
        **_key(request.kind, request.shop, request.subject),
        **SCHEMA,
        "kind": text(request.kind),
        "shop": text(request.shop),
        "subject": text(request.subject),
        "received_at": instant(request.received_at),
        "due_at": instant(request.due_at),
        "state": text(request.state),
        "revision": number(request.revision + 1),
        "orders": texts(request.order_ids),
        "pseudonyms": sequence(texts(pair) for pair in request.pseudonyms.items()),
        "counts": mapping({name: number(done) for name, done in request.counts.items()}),
        "reason": text(request.reason),
        "confirmed": boolean(request.confirmed),
    }
    if request.customer_id is not None:
        item["customer"] = text(request.customer_id)
    if request.position is not None:
        item["position"] = texts(request.position)
    if request.finished_at is not None:
        item["finished_at"] = instant(request.finished_at)
    return item


def _request_of(item: Stored) -> PrivacyRequest:
    return PrivacyRequest(
        kind=Kind(text_of(item["kind"])),
        shop=text_of(item["shop"]),
        subject=text_of(item["subject"]),
        received_at=instant_of(item["received_at"]),
        customer_id=optional_text(item, "customer"),
        order_ids=texts_of(item["orders"]),
        state=State(text_of(item["state"])),
        revision=int_of(item["revision"]),
        pseudonyms=_pseudonyms(item["pseudonyms"]),
        position=_pair(item["position"]) if "position" in item else None,
        counts={name: int_of(value) for name, value in fields_of(item["counts"]).items()},
        reason=text_of(item["reason"]),
        confirmed=boolean_of(item["confirmed"]),
        finished_at=optional_instant(item, "finished_at"),
    )


def _pseudonyms(value: Stored) -> dict[str, str]:
    return dict(map(_pair, values_of(value)))


def _pair(value: Stored) -> tuple[str, str]:
    first, second = texts_of(value)
    return first, second
