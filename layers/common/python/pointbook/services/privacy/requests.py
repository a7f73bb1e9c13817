"""Takes privacy requests in, works on them, and keeps an eye on those that are not done.

A request is written down first, with the time at which it came; that is all its webhook needs. Then
it is worked on for as long as there is time. What is left the next run of the schedule does, which
looks at every open request: no message has to come again, and nothing is lost that was taken in.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from pointbook import log
from pointbook.deadline import Deadline, DeadlinePassed
from pointbook.domain.ports import StoreUnavailable
from pointbook.domain.privacy import Kind, PrivacyRequest, State
from pointbook.errors import InvalidRequest, LedgerUnavailable, Unavailable
from pointbook.services.message import Message
from pointbook.services.privacy.customers import CustomerErasure
from pointbook.services.privacy.dependencies import Dependencies
from pointbook.services.privacy.exports import CustomerExport
from pointbook.services.privacy.shops import ShopErasure, ShopInUse
from pointbook.shopify.ids import customer_digits, number_digits
from pointbook.validation import shown

APP_UNINSTALLED = "app/uninstalled"
ONE_MESSAGE_SECONDS = 10.0
"""How long a request is worked on as soon as it comes; the rest is the schedule's."""


class Operator(Protocol):
    """Whoever answers for the shop's points."""

    def notify(self, subject: str, message: str) -> None:
        """Send a message. Raises Unavailable."""
        ...


@dataclass(slots=True)
class WatchResult:
    """What one look at all requests found and did."""

    done: int = 0
    open: int = 0
    held: int = 0
    failed: int = 0
    oldest_seconds: int = 0


class _Overtaken(Exception):
    """Somebody else works on this request at this moment; they go on with it."""


class PrivacyService:
    """The privacy requests of all shops."""

    def __init__(self, dependencies: Dependencies, operator: Operator) -> None:
        """Work on what `dependencies` have, and tell `operator` of files."""
        self._requests = dependencies.requests
        self._dependencies = dependencies
        self._operator = operator

    def carry_out(self, message: Message) -> None:
        """Take a webhook in, and work on it for a while. Safe to repeat.

        Raises InvalidRequest for a payload that names nobody, LedgerUnavailable where it could not
        be written down.
        """
        if message.topic == APP_UNINSTALLED:
            self._dependencies.installations.note_removed(message.shop, message.received_at)
            log.info("app_uninstalled", shop=message.shop)
            return
        request = self._taken_in(_request_in(message))
        if request.state is State.OPEN:
            deadline = Deadline.after(ONE_MESSAGE_SECONDS, self._dependencies.clock.monotonic)
            self._work(request, deadline, WatchResult())

    def watch(self, shops: tuple[str, ...], seconds: float) -> WatchResult:
        """Go on with every open request for at most `seconds`, and say how old the oldest is.

        Shops are those of this stack. One that fails is logged and stops no other.
        """
        result = WatchResult()
        deadline = Deadline.after(seconds, self._dependencies.clock.monotonic)
        now = self._dependencies.clock.now()
        for request in [one for shop in shops for one in self._requests.all_of(shop)]:
            if request.state is State.DONE:
                continue
            if request.state is State.OPEN and self._work(request, deadline, result):
                continue
            result.held += request.state is State.HELD
            result.open += request.state is State.OPEN
            age_seconds = int((now - request.received_at).total_seconds())
            result.oldest_seconds = max(result.oldest_seconds, age_seconds)
        for shop in shops:
            self._delete_orphaned_files(shop)
        log.info("privacy_requests_checked", **asdict(result))
        log.metric("PrivacyRequestAge", result.oldest_seconds, unit="Seconds")
        log.metric("PrivacyRequestsHeld", result.held)
        log.metric("PrivacyRequestFailures", result.failed)
        return result

    def _taken_in(self, request: PrivacyRequest) -> PrivacyRequest:
        """The request as it is kept: written down now, or when its webhook first came."""
        kept = self._requests.find(request.kind, request.shop, request.subject)
        if kept is not None:
            requested = self._requested_now(kept, request)
            kept = kept if requested == kept else self._requests.save(requested)
        else:
            kept = self._requests.save(request)
        if kept is None:  # somebody else was faster
            raise LedgerUnavailable(retry_after_seconds=1)
        return kept

    def _requested_now(self, kept: PrivacyRequest, request: PrivacyRequest) -> PrivacyRequest:
        """What is kept of a request, after its webhook or another one for the same has come."""
        if self._is_requested_again(kept):
            return kept.requested_again(request.received_at)
        return kept.with_orders_of(request) if kept.kind is Kind.CUSTOMER else kept

    def _is_requested_again(self, kept: PrivacyRequest) -> bool:
        """Whether a shop that was erased has had the app again since, and removed it again."""
        if kept.kind is not Kind.SHOP or kept.finished_at is None:
            return False
        removed_at = self._dependencies.installations.removed_at(kept.shop)
        return removed_at is not None and removed_at > kept.finished_at

    def _work(self, request: PrivacyRequest, deadline: Deadline, result: WatchResult) -> bool:
        """Go on with a request; whether it is done now. What goes wrong with it stays with it."""
        about = {"kind": request.kind, "shop": request.shop, "subject": request.subject}
        try:
            deadline.check()
            done = self._carried_out(request, deadline)
            if done is not None:
                self._save(done.finished(self._dependencies.clock.now()))
        except (DeadlinePassed, _Overtaken):
            log.info("privacy_request_continues", **about)
            return False
        except (StoreUnavailable, Unavailable) as error:
            log.warning("privacy_request_waits", **about, cause=str(error))
            return False
        except ShopInUse as life:
            self._hold(request, str(life))
            return False
        except Exception:  # noqa: BLE001 - whatever is wrong with one request stops no other
            result.failed += 1
            log.exception("privacy_request_failed", **about)
            return False
        result.done += 1
        log.info("privacy_request_done", **about, **(done.counts if done else {}))
        log.metric("PrivacyRequestsDone", Kind=request.kind)
        return True

    def _carried_out(self, request: PrivacyRequest, deadline: Deadline) -> PrivacyRequest | None:
        """The request as it is then; None: nothing is kept of it."""
        if request.kind is Kind.SHOP:
            return ShopErasure(request, self._dependencies, self._save, deadline).run()
        if request.customer_id is None:
            return request.counted(nothing_held=1)
        if request.kind is Kind.CUSTOMER:
            return CustomerErasure(request, self._dependencies, self._save, deadline).run()
        return self._answered(request, request.customer_id, deadline)

    def _answered(
        self, request: PrivacyRequest, customer_id: str, deadline: Deadline
    ) -> PrivacyRequest | None:
        """Write the data down; of a customer who is erased by then neither file nor request stays.

        Erasing waits for an open request, so it deletes whatever was done before.
        """
        key = self._dependencies.files.key(
            request.shop, customer_id, request.subject.rpartition("#")[2]
        )
        exported = None
        if not self._is_erased(request.shop, customer_id):
            exported = CustomerExport(request, self._dependencies, deadline).run(key)
        if exported is None or self._is_erased(request.shop, customer_id):
            self._dependencies.files.forget_customer(request.shop, customer_id)
            self._operator.notify(
                f"Pointbook: a customer of {request.shop} asks for their data",
                f"Customer {customer_id} was erased before: nothing is kept of them.",
            )
            self._requests.delete(request)
            return None
        self._operator.notify(
            f"Pointbook: a customer of {request.shop} asks for their data",
            f"The data of customer {customer_id} is in the privacy bucket under\n{key}\n"
            f"Hand it to them by {request.due_at.date()}; the file is deleted after 30 days.",
        )
        return exported

    def _delete_orphaned_files(self, shop: str) -> None:
        """Delete the files whose requests are gone: their customer or their shop was erased.

        A worker that stood still meanwhile may write one afterwards, and end before it looks again.
        """
        files = self._dependencies.files
        try:
            for customer_id, request_id in files.of_shop(shop):
                if self._requests.find(Kind.DATA, shop, f"{customer_id}#{request_id}") is None:
                    files.delete(files.key(shop, customer_id, request_id))
                    log.warning("orphaned_file_deleted", shop=shop)
        except Unavailable as error:
            log.warning("orphaned_files_wait", shop=shop, cause=str(error))

    def _is_erased(self, shop: str, customer_id: str) -> bool:
        account = self._dependencies.store.account(shop, customer_id)
        return account is not None and account.erased

    def _hold(self, request: PrivacyRequest, reason: str) -> None:
        log.error("shop_erasure_held", shop=request.shop, why=reason)
        kept = self._requests.find(request.kind, request.shop, request.subject)
        if kept is not None:
            self._requests.save(kept.held(reason))

    def _save(self, request: PrivacyRequest) -> PrivacyRequest:
        saved = self._requests.save(request)
        if saved is None:
            raise _Overtaken
        return saved


def _request_in(message: Message) -> PrivacyRequest:
    """The request that a webhook makes. Raises InvalidRequest."""
    kind = Kind(message.topic)
    if kind is Kind.SHOP:
        return PrivacyRequest(kind, message.shop, message.shop, message.received_at)
    payload = message.payload
    customer_id = _customer_in(payload)
    named = "orders_requested" if kind is Kind.DATA else "orders_to_redact"
    return PrivacyRequest(
        kind=kind,
        shop=message.shop,
        subject=_subject(kind, customer_id, message),
        received_at=message.received_at,
        customer_id=customer_id,
        order_ids=_orders_in(payload, named),
    )


def _orders_in(payload: Mapping[str, Any], field: str) -> tuple[str, ...]:
    found = payload.get(field, [])
    if not isinstance(found, list):
        raise InvalidRequest(field, f"{field} is {shown(found)}, but must be a list of ids.")
    return tuple(number_digits(order_id, field) for order_id in found)


def _member(payload: Mapping[str, Any], field: str) -> Mapping[str, Any] | None:
    """An object within the payload; None where it is missing. Raises InvalidRequest."""
    found = payload.get(field)
    if found is not None and not isinstance(found, dict):
        raise InvalidRequest(field, f"{field} is {shown(found)}, but must be an object.")
    return found


def _customer_in(payload: Mapping[str, Any]) -> str | None:
    """None: Shopify names an e-mail address only, of somebody who has never ordered.

    Raises InvalidRequest where nobody is named.
    """
    customer = _member(payload, "customer")
    if customer is None:
        raise InvalidRequest("customer", "customer is missing: nobody is named.")
    found = customer.get("id")
    return None if found is None else customer_digits(found, "customer.id")


def _subject(kind: Kind, customer_id: str | None, message: Message) -> str:
    """What tells requests of one kind and shop apart: a customer is erased once for ever."""
    if kind is Kind.CUSTOMER and customer_id is not None:
        return customer_id
    number = (_member(message.payload, "data_request") or {}).get("id")
    if number is None:
        name = hashlib.sha256(message.event_id.encode()).hexdigest()[:16]
    else:
        name = number_digits(number, "data_request.id")
    return f"{customer_id or '-'}#{name}"
