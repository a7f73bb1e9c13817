"""Keys of the table: every partition key and sort key there is.

The shop comes first in each. No text that a user wrote enters a key: customers and orders have
numbers as ids, callers' keys and holds' ids are hashed.
"""

import hashlib
import re
import zlib
from datetime import datetime
from typing import TYPE_CHECKING

from pointbook.domain.ports import DUE_SHARDS, DueKind
from pointbook.store.values import Item, Stored, instant, text, text_of

if TYPE_CHECKING:
    from pointbook.domain.privacy import Kind

ACCOUNT = "ACCOUNT"
OUTBOX = "OUTBOX"
REPORTS = "REPORTS"
PSEUDONYM = "PSEUDONYM"
TILL_PUSH = "TILL_PUSH"
TILL_MEMBER = "TILL_MEMBER"
METAFIELDS = "METAFIELDS"
SIGN_UP = "SIGN_UP"
"""These belong to a customer; in a query, what comes after the account is the rest."""

ORDER = "ORDER"
HOLD = "HOLD"
ORPHANED_CODE = "ORPHANED_CODE"
METAFIELDS_DELETION = "METAFIELDS_DELETION"

ACCESS_TOKEN = "ACCESS_TOKEN"  # noqa: S105 - a sort key
APP_REMOVED = "APP_REMOVED"
HOLD_CALLS = "HOLD_CALLS"
METAFIELDS_WRITER = "METAFIELDS_WRITER"
PROGRAMME = "PROGRAMME"
PROGRAMME_VERSION = "PROGRAMME#"
RECONCILIATION = "RECONCILIATION"
STAFF = "STAFF#"
TILL_COMPARISON = "TILL_COMPARISON"
TRIGGER = "TRIGGER#"
PRIVACY_REQUEST = "PRIVACY_REQUEST#"
"""These belong to the shop as a whole."""

SHOP_ERASURES = "SHOP_ERASURES"
"""The partition of requests to erase a shop, which outlive the shop's own."""

TILL = "TILL"
TILL_STATE = "STATE"
TILL_CALLS = "CALLS"
TILL_TOKEN = "TOKEN"  # noqa: S105 - a sort key
"""The partition of the stack's till, which serves all shops, and its items."""

HEADS = "HEADS"
HEADS_RUN = "RUN"
"""The partition of the daily heads of all chains, and the item of the run that writes them."""

VERSION_DIGITS = 12
ENTRY = "ENTRY#"
REQUEST = "REQUEST#"
_NUMBER = "[0-9]+"


def key(pk: str, sk: str) -> Item:
    """The key of one item."""
    return {"pk": text(pk), "sk": text(sk)}


def key_of(item: Stored) -> Item:
    """The key of an item that was read."""
    return {"pk": item["pk"], "sk": item["sk"]}


# --- partitions ----------------------------------------------------------------------------------


def shop(shop: str) -> str:
    """The shop as a whole; the shop's other partition keys begin with this and a #."""
    return f"SHOP#{shop}"


def customers(shop: str) -> str:
    """The beginning of the partition keys of a shop's customers."""
    return f"SHOP#{shop}#CUSTOMER#"


def customer(shop: str, customer_id: str) -> str:
    """One customer: the account, its entries, and what else is kept under the customer's id."""
    return f"{customers(shop)}{_digits(customer_id)}"


def is_customer(pk: str) -> bool:
    """Whether this is the partition of a customer."""
    return pk.startswith("SHOP#") and pk.split("#")[2:3] == ["CUSTOMER"]


def parse(pk: str) -> tuple[str, str]:
    """Shop and id in the partition key of a customer, an order, a hold or a code."""
    _, shop, _, number = pk.split("#")
    return shop, number


# --- sort keys -----------------------------------------------------------------------------------


def entry(version: int) -> str:
    """One entry; sorts by version."""
    return f"{ENTRY}{version:0{VERSION_DIGITS}d}"


def idempotency_record(key_hash: str) -> str:
    """The record of one request."""
    return f"{REQUEST}{key_hash}"


def privacy_request(kind: "Kind", subject: str) -> str:
    """One privacy request, or the beginning of several."""
    return f"{PRIVACY_REQUEST}{kind}#{subject}"


# --- whole keys ----------------------------------------------------------------------------------


def account(shop: str, customer_id: str) -> Item:
    """The account of a customer."""
    return key(customer(shop, customer_id), ACCOUNT)


def outbox(shop: str, customer_id: str) -> Item:
    """The outbox's cursor of a customer."""
    return key(customer(shop, customer_id), OUTBOX)


def till_push(shop: str, customer_id: str) -> Item:
    """The cursor of a customer's changes that are pushed to the till."""
    return key(customer(shop, customer_id), TILL_PUSH)


def pseudonym(shop: str, customer_id: str) -> Item:
    """The pseudonym of a customer who is being erased."""
    return key(customer(shop, customer_id), PSEUDONYM)


def till_member(shop: str, customer_id: str) -> Item:
    """What the till last said of a customer."""
    return key(customer(shop, customer_id), TILL_MEMBER)


def till_state() -> Item:
    """The state of the stack's till."""
    return key(TILL, TILL_STATE)


def metafields(shop: str, customer_id: str) -> Item:
    """How far a customer's metafields at Shopify are written."""
    return key(customer(shop, customer_id), METAFIELDS)


def metafields_deletion(shop: str, customer_id: str) -> Item:
    """An erased customer whose metafields at Shopify are to be deleted."""
    return key(f"SHOP#{shop}#METAFIELDS_DELETION#{_digits(customer_id)}", METAFIELDS_DELETION)


def sign_up(shop: str, customer_id: str) -> Item:
    """The sign-up of a customer, which waits until earning is on again."""
    return key(customer(shop, customer_id), SIGN_UP)


def order(shop: str, order_id: str) -> Item:
    """One order."""
    return key(f"SHOP#{shop}#ORDER#{_digits(order_id)}", ORDER)


def hold(shop: str, hold_id: str) -> Item:
    """The record of one hold."""
    return key(f"SHOP#{shop}#HOLD#{_hashed(hold_id)}", HOLD)


def orphaned_code(shop: str, hold_id: str) -> Item:
    """The code of a hold that has ended, to be switched off."""
    return listed_code(shop, _hashed(hold_id))


def listed_code(shop: str, listed_id: str) -> Item:
    """The same by the id that `parse` finds in its partition key."""
    return key(f"SHOP#{shop}#ORPHANED_CODE#{listed_id}", ORPHANED_CODE)


def programme_version(shop_domain: str, version: int) -> Item:
    """One version of a shop's programme."""
    return key(shop(shop_domain), f"{PROGRAMME_VERSION}{version:06d}")


def staff(shop_domain: str, staff_id: str) -> Item:
    """The points that a member of a shop's staff has moved by hand on one day."""
    return key(shop(shop_domain), f"{STAFF}{_digits(staff_id)}")


# --- indexes of due work -------------------------------------------------------------------------


def due(kind: DueKind, shard: int) -> str:
    """One shard of the index of a kind of work."""
    return f"DUE#{kind}#{shard}"


def due_attributes(kind: DueKind, key: Item, due_at: datetime) -> Item:
    """The attributes that put an item on the index of a kind of work."""
    shard = zlib.crc32(text_of(key["pk"]).encode()) % DUE_SHARDS
    return {f"due_{kind}": text(due(kind, shard)), f"due_{kind}_at": instant(due_at)}


def due_triggers(shop: str) -> str:
    """The list of a shop's customers whose entries are to be published later."""
    return f"DUE#trigger#{shop}"


def due_till_pushes(shop: str) -> str:
    """The list of a shop's customers whose changes are to be pushed to the till later."""
    return f"DUE#till#{shop}"


def due_sign_ups(shop: str) -> str:
    """The list of a shop's customers whose sign-ups wait."""
    return f"DUE#sign_up#{shop}"


def due_metafields(shop: str, what: str) -> str:
    """A list of a shop's customers whose metafields are to be written: changes, fill, deletions."""
    return f"DUE#metafields_{what}#{shop}"


def _digits(number: str) -> str:
    assert re.fullmatch(_NUMBER, number), f"{number!r} is no number"
    return number


def _hashed(anything: str) -> str:
    return hashlib.sha256(anything.encode("utf-8", "surrogatepass")).hexdigest()
