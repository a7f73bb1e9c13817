"""Carries out webhooks about customers: points for signing up, and merges of two customers."""

from collections.abc import Callable
from typing import Protocol

from pointbook import log
from pointbook.domain.chain import Cause
from pointbook.domain.commands import Grant
from pointbook.domain.entry import Topic
from pointbook.domain.privacy import Kind, PrivacyRequest
from pointbook.domain.programme import Programme
from pointbook.domain.refusal import Code, Refusal
from pointbook.errors import InvalidRequest
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.ledger.ledger import Ledger
from pointbook.services.message import Message
from pointbook.shopify.ids import customer_digits
from pointbook.shopify.projection import UNREADABLE

SOURCE = "shopify"

COMPLETED = "completed"
NOT_COMPLETED = frozenset({"requested", "in_progress", "failed"})
"""Shopify's CustomerMergeRequestStatus, in lower case; a webhook comes for each of them."""


CUSTOMER_UNKNOWN = "customer_unknown"


class CustomerDirectory(Protocol):
    """The customers of one shop, as Shopify has them now."""

    def exists(self, customer_id: str) -> bool:
        """Whether the shop has this customer. Raises ShopifyRefused or Unavailable."""
        ...


class Requests(Protocol):
    """Where it is written down that a customer is to be erased."""

    def save(self, request: PrivacyRequest) -> PrivacyRequest | None:
        """Write a new request down; None: there is one. Raises LedgerUnavailable."""
        ...


def carry_out(
    message: Message,
    ledger: Ledger,
    programme: Programme,
    requests: Requests,
    customers: Callable[[], CustomerDirectory] | None = None,
) -> None:
    """Carry out a message about customers; safe to repeat.

    `customers` are those of the message's shop, where the stack serves several: `customers/create`
    does not say whose it is, and the header that does is not signed. None: there is one shop only.
    Raises InvalidRequest for a payload that names no customer, LedgerUnavailable when there was no
    verdict in time, ShopifyRefused and Unavailable where Shopify does not say whether the shop has
    the customer.
    """
    match message.topic:
        case "customers/create":
            _sign_up(message, ledger, programme, customers)
        case "customers/merge":
            _merge(message, ledger, programme, requests)
        case _:
            raise ValueError(f"{message.topic} is not about customers")


def _sign_up(
    message: Message,
    ledger: Ledger,
    programme: Programme,
    customers: Callable[[], CustomerDirectory] | None,
) -> None:
    customer_id = customer_digits(message.payload.get("id"), "id")
    if programme.sign_up_points == 0:
        return
    if customers is not None and not customers().exists(customer_id):
        _note_refused(message, CUSTOMER_UNKNOWN)
        return
    instruction = Instruction(
        shop=message.shop,
        customer_id=customer_id,
        command=Grant(programme.sign_up_points, programme.expiry, Topic.ADD_SIGN_UP),
        cause=Cause(SOURCE, message.event_id),
        identity=Identity("sign_up", customer_id),
        # Not the points: a later programme gives others, and this is the same sign-up.
        content={"sign_up": customer_id},
        time_zone=programme.time_zone,
    )
    _note_refusal(message, ledger.execute(instruction))


def _merge(message: Message, ledger: Ledger, programme: Programme, requests: Requests) -> None:
    """Merge only what Shopify has merged: webhooks come for open and for failed merges too.

    Whoever was merged into an erased customer is the same person, and is erased as well.
    """
    payload = message.payload
    status = str(payload.get("status", "")).lower()
    if status == UNREADABLE:
        raise InvalidRequest("status", "status cannot be read.")
    if status != COMPLETED:
        _note_other_status(message, status)
        return
    gone, kept = (
        customer_digits(payload.get(field), field)
        for field in (
            "admin_graphql_api_customer_deleted_id",
            "admin_graphql_api_customer_kept_id",
        )
    )
    cause = Cause(SOURCE, message.event_id)
    answer = ledger.merge(message.shop, gone, kept, cause, programme.time_zone)
    if isinstance(answer, Refusal) and answer.code is Code.CUSTOMER_ERASED:
        _erase_with(kept, gone, message, ledger, requests)
    _note_refusal(message, answer)


def _erase_with(kept: str, gone: str, message: Message, ledger: Ledger, requests: Requests) -> None:
    """Have the source erased if the target is; one who was erased alone leaves the other alone."""
    if not ledger.read(message.shop, kept).erased:
        return
    requests.save(PrivacyRequest(Kind.CUSTOMER, message.shop, gone, message.received_at, gone))
    log.info("erased_with_survivor", event_id=message.event_id)


def _note_other_status(message: Message, status: str) -> None:
    known = status in NOT_COMPLETED
    if not known:
        log.warning("merge_status_unknown", status=status, event_id=message.event_id)
    log.metric("MergesNotCompleted", Status=status if known else "unknown")


def _note_refusal(message: Message, answer: Booked | Refusal) -> None:
    """A refusal is final (the customer was erased, or is merged elsewhere): no try would help."""
    if isinstance(answer, Refusal):
        _note_refused(message, answer.code)


def _note_refused(message: Message, code: str) -> None:
    log.warning("webhook_refused", code=code, event_id=message.event_id)
    log.metric("WebhooksRefused", Topic=message.topic, Code=code)
