"""Records of the table's stream, as the changes of accounts that they report."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pointbook.store import keys
from pointbook.store.values import int_of, text_of

type Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AccountChange:
    """An account was written: its entries go up to `version`. `sequence` names the record."""

    shop: str
    customer_id: str
    version: int
    sequence: str


def account_changes(records: Iterable[Record]) -> Iterator[AccountChange]:
    """The changes of accounts, in the order of the stream, without tombstones of the erased."""
    for record in records:
        change = record["dynamodb"]
        image = change.get("NewImage", {})
        if text_of(change["Keys"]["sk"]) != keys.ACCOUNT:
            continue
        if "version" in image and "erased" not in image:
            shop, customer_id = keys.parse(text_of(change["Keys"]["pk"]))
            yield AccountChange(
                shop, customer_id, int_of(image["version"]), change["SequenceNumber"]
            )
