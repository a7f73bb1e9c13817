"""Records of the table's stream, as the changes of accounts that they report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pointbook.store import keys
from pointbook.store.values import int_of, text_of

type Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AccountChange:
    """An account now has entries up to `version`, according to the records `sequences`.

    `first_version` is the lowest that they show.
    """

    shop: str
    customer_id: str
    version: int
    first_version: int = 0
    sequences: tuple[str, ...] = ()


def latest_changes(records: Iterable[Record]) -> list[AccountChange]:
    """The changed accounts in the order of the stream, each once with its latest version.

    Other items and erased customers' tombstones are skipped.
    """
    found: dict[tuple[str, str], AccountChange] = {}
    for record in records:
        change = record["dynamodb"]
        image = change.get("NewImage", {})
        is_account = text_of(change["Keys"]["sk"]) == keys.ACCOUNT
        if not is_account or "version" not in image or "erased" in image:
            continue
        key = shop, customer_id = keys.parse(text_of(change["Keys"]["pk"]))
        version = int_of(image["version"])
        before = found.get(key, AccountChange(shop, customer_id, version, version))
        found[key] = AccountChange(
            shop=shop,
            customer_id=customer_id,
            version=max(version, before.version),
            first_version=min(version, before.first_version),
            sequences=(*before.sequences, change["SequenceNumber"]),
        )
    return list(found.values())
