"""Processes webhooks about customers: points for signing up, and merges of two customers."""

from collections.abc import Callable
from datetime import datetime
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

CUSTOMER_ENABLED = "customers/enable"


class CustomerDirectory(Protocol):
    """The customers of one shop, as Shopify has them now."""

    def exists(self, customer_id: str) -> bool:
        """Whether the shop has this customer. Raises ShopifyRefused or Unavailable."""
        ...

    def has_account(self, customer_id: str) -> bool:
        """Whether the shop has this customer with an enabled account. Raises as `exists` does."""
        ...


class WaitingSignUps(Protocol):
    """The sign-ups that came while earning was paused."""

    def add(self, shop: str, customer_id: str, at: datetime) -> None:
        """Let a sign-up wait. Raises LedgerUnavailable."""
        ...


class Requests(Protocol):
    """The stored requests to erase a customer."""

    def save(self, request: PrivacyRequest) -> PrivacyRequest | None:
        """Save a new request; None if it exists already. Raises LedgerUnavailable."""
        ...


def carry_out(
    message: Message,
    ledger: Ledger,
    programme: Programme,
    requests: Requests,
    customers: Callable[[], CustomerDirectory] | None = None,
    waiting: Callable[[], WaitingSignUps] | None = None,
) -> None:
    """Process a message about customers; safe to repeat.

    While earning is paused, sign-ups are added to those `waiting`.
    `customers` are those of the message's shop, if the programme asks for an account or the stack
    serves several shops: the body of `customers/create` does not name the shop, and the header that
    does is not signed. Raises InvalidRequest for a payload without a customer, LedgerUnavailable if
    the ledger did not answer in time, ShopifyRefused and Unavailable if Shopify did not say whether
    the customer exists.
    """
    match message.topic:
        case "customers/create" | "customers/enable":
            _sign_up(message, ledger, programme, customers, waiting)
        case "customers/merge":
            _merge(message, ledger, programme, requests)
        case _:
            raise ValueError(f"{message.topic} is not about customers")


def _sign_up(
    message: Message,
    ledger: Ledger,
    programme: Programme,
    customers: Callable[[], CustomerDirectory] | None,
    waiting: Callable[[], WaitingSignUps] | None,
) -> None:
    """Give the points for signing up, once, if the programme gives them to this customer.

    `customers/enable` counts only where an account is needed: others have had theirs before.
    """
    customer_id = customer_digits(message.payload.get("id"), "id")
    needs_account = programme.sign_up_needs_account
    if programme.sign_up_points == 0:
        return
    if message.topic == CUSTOMER_ENABLED and not needs_account:
        return
    if programme.is_before_start(message.received_at):
        log.info("sign_up_of_another_app", event_id=message.event_id)
        return
    if programme.earning_paused:
        assert waiting is not None, "a sign-up that waits must be kept somewhere"
        waiting().add(message.shop, customer_id, message.received_at)
        log.info("sign_up_waits_for_earning", event_id=message.event_id)
        return
    if needs_account:
        assert customers is not None, "only Shopify knows who has an account"
        if not customers().has_account(customer_id):
            log.info("sign_up_waits_for_account", event_id=message.event_id)
            return
    elif customers is not None and not customers().exists(customer_id):
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
    """Merge two accounts once Shopify has completed the merge of their customers.

    A customer merged into an erased one is the same person, and is erased as well.
    """
    payload = message.payload
    status = str(payload.get("status", "")).lower()
    if status == UNREADABLE:
        raise InvalidRequest("status", "status cannot be read.")
    if status != COMPLETED:
        _note_other_status(message, status)
        return
    source_id, survivor_id = (
        customer_digits(payload.get(field), field)
        for field in (
            "admin_graphql_api_customer_deleted_id",
            "admin_graphql_api_customer_kept_id",
        )
    )
    cause = Cause(SOURCE, message.event_id)
    answer = ledger.merge(message.shop, source_id, survivor_id, cause, programme.time_zone)
    if isinstance(answer, Refusal) and answer.code is Code.CUSTOMER_ERASED:
        _erase_with(survivor_id, source_id, message, ledger, requests)
    _note_refusal(message, answer)


def _erase_with(
    survivor_id: str, source_id: str, message: Message, ledger: Ledger, requests: Requests
) -> None:
    """Request the erasure of the source if the survivor was erased (not if only the source was)."""
    if not ledger.read(message.shop, survivor_id).erased:
        return
    kind, received_at = Kind.CUSTOMER, message.received_at
    requests.save(PrivacyRequest(kind, message.shop, source_id, received_at, source_id))
    log.info("erased_with_survivor", event_id=message.event_id)


def _note_other_status(message: Message, status: str) -> None:
    if status not in NOT_COMPLETED:
        log.warning("merge_status_unknown", status=status, event_id=message.event_id)
        status = "unknown"
    log.metric("MergesNotCompleted", Status=status)


def _note_refusal(message: Message, answer: Booked | Refusal) -> None:
    """Log a refusal. It is final (the customer was erased or merged elsewhere): no retry."""
    if isinstance(answer, Refusal):
        _note_refused(message, answer.code)


def _note_refused(message: Message, code: str) -> None:
    log.warning("webhook_refused", code=code, event_id=message.event_id)
    log.metric("WebhooksRefused", Topic=message.topic, Code=code)
