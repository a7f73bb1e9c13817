"""Saves privacy requests, processes them, and monitors those that are not done.

A request is saved first, with the time of its arrival; its webhook needs no more. Then it is
processed for a while. The schedule continues every open request, so no message has to be repeated,
and no saved request is lost.
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
"""How long a request is processed on arrival; the schedule does the rest."""


class Operator(Protocol):
    """The person who is responsible for the shop's points."""

    def notify(self, subject: str, message: str) -> None:
        """Send a message. Raises Unavailable."""
        ...


@dataclass(slots=True)
class WatchResult:
    """The result of one scheduled run over all requests."""

    done: int = 0
    open: int = 0
    held: int = 0
    failed: int = 0
    oldest_seconds: int = 0


class _Overtaken(Exception):
    """Another run is processing this request; it will continue."""


class PrivacyService:
    """The privacy requests of all shops."""

    def __init__(self, dependencies: Dependencies, operator: Operator) -> None:
        """Notify `operator` of exported files."""
        self._requests = dependencies.requests
        self._dependencies = dependencies
        self._operator = operator

    def carry_out(self, message: Message) -> None:
        """Save a webhook's request, and process it for a while. Safe to repeat.

        Raises InvalidRequest for a payload that names nobody, LedgerUnavailable if the request
        could not be saved.
        """
        if message.topic == APP_UNINSTALLED:
            self._dependencies.installations.note_removed(message.shop, message.received_at)
            log.info("app_uninstalled", shop=message.shop)
            return
        request = self._saved_request(_request_of(message))
        if request.state is State.OPEN:
            deadline = Deadline.after(ONE_MESSAGE_SECONDS, self._dependencies.clock.monotonic)
            self._work(request, deadline, WatchResult())

    def watch(self, shops: tuple[str, ...], seconds: float) -> WatchResult:
        """Continue every open request for at most `seconds`, and report the age of the oldest.

        A failing request is logged and does not stop the others.
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

    def _saved_request(self, request: PrivacyRequest) -> PrivacyRequest:
        """The request as stored: saved now, or when its webhook came before."""
        stored = self._requests.find(request.kind, request.shop, request.subject)
        updated = self._updated(stored, request) if stored else request
        saved = stored if updated == stored else self._requests.save(updated)
        if saved is None:  # another worker was faster
            raise LedgerUnavailable(retry_after_seconds=1)
        return saved

    def _updated(self, stored: PrivacyRequest, request: PrivacyRequest) -> PrivacyRequest:
        """A stored request after its webhook, or another one for the same subject, has come."""
        if self._is_requested_again(stored):
            return stored.requested_again(request.received_at)
        return stored.with_orders_of(request) if stored.kind is Kind.CUSTOMER else stored

    def _is_requested_again(self, stored: PrivacyRequest) -> bool:
        """Whether an erased shop has installed the app again since, and removed it again."""
        if stored.kind is not Kind.SHOP or stored.finished_at is None:
            return False
        removed_at = self._dependencies.installations.removed_at(stored.shop)
        return removed_at is not None and removed_at > stored.finished_at

    def _work(self, request: PrivacyRequest, deadline: Deadline, result: WatchResult) -> bool:
        """Continue a request; returns whether it is done. Its errors are logged."""
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
        except ShopInUse as in_use:
            self._hold(request, str(in_use))
            return False
        except Exception:  # noqa: BLE001 - one failing request must not stop the others
            result.failed += 1
            log.exception("privacy_request_failed", **about)
            return False
        result.done += 1
        log.info("privacy_request_done", **about, **(done.counts if done else {}))
        log.metric("PrivacyRequestsDone", Kind=request.kind)
        return True

    def _carried_out(self, request: PrivacyRequest, deadline: Deadline) -> PrivacyRequest | None:
        """The request with its counts; None if it was deleted."""
        if request.kind is Kind.SHOP:
            return ShopErasure(request, self._dependencies, self._save, deadline).run()
        if request.customer_id is None:
            return request.counted(nothing_held=1)
        if request.kind is Kind.CUSTOMER:
            return CustomerErasure(request, self._dependencies, self._save, deadline).run()
        return self._exported(request, request.customer_id, deadline)

    def _exported(
        self, request: PrivacyRequest, customer_id: str, deadline: Deadline
    ) -> PrivacyRequest | None:
        """Export the data; if the customer is erased by then, delete both file and request.

        An erasure waits for open requests, so it deletes what was exported before. What is sent to
        the operator names the request alone: mail is kept where no erasure reaches.
        """
        number = request.subject.rpartition("#")[2]
        key = self._dependencies.files.key(request.shop, customer_id, number)
        exported = None
        if not self._dependencies.is_erased(request.shop, customer_id):
            exported = CustomerExport(request, self._dependencies, deadline).run(key)
        if exported is None or self._dependencies.is_erased(request.shop, customer_id):
            self._dependencies.files.forget_customer(request.shop, customer_id)
            self._operator.notify(
                f"Pointbook: a customer of {request.shop} asks for their data",
                f"The customer of request {number} was erased before: nothing is kept of them.",
            )
            self._requests.delete(request)
            return None
        self._operator.notify(
            f"Pointbook: a customer of {request.shop} asks for their data",
            f"The data of request {number} is in the privacy bucket, as {number}.json in the folder"
            f" of its customer. `pointbook privacy --shop {request.shop}` says which that is.\n"
            f"Hand it to them by {request.due_at.date()}; the file is deleted after 30 days.",
        )
        return exported

    def _delete_orphaned_files(self, shop: str) -> None:
        """Delete files without a request: their customer or shop was erased.

        A worker that was stalled meanwhile may write one afterwards, and end before its last check.
        """
        files = self._dependencies.files
        try:
            for customer_id, request_id in files.of_shop(shop):
                if self._requests.find(Kind.DATA, shop, f"{customer_id}#{request_id}") is None:
                    files.delete(files.key(shop, customer_id, request_id))
                    log.warning("orphaned_file_deleted", shop=shop)
        except Unavailable as error:
            log.warning("orphaned_files_wait", shop=shop, cause=str(error))

    def _hold(self, request: PrivacyRequest, reason: str) -> None:
        log.error("shop_erasure_held", shop=request.shop, reason=reason)
        stored = self._requests.find(request.kind, request.shop, request.subject)
        if stored is not None:
            self._requests.save(stored.held(reason))

    def _save(self, request: PrivacyRequest) -> PrivacyRequest:
        saved = self._requests.save(request)
        if saved is None:
            raise _Overtaken
        return saved


def _request_of(message: Message) -> PrivacyRequest:
    """The request in a webhook. Raises InvalidRequest."""
    kind = Kind(message.topic)
    if kind is Kind.SHOP:
        return PrivacyRequest(kind, message.shop, message.shop, message.received_at)
    payload = message.payload
    customer_id = _customer_in(payload)
    orders_field = "orders_requested" if kind is Kind.DATA else "orders_to_redact"
    return PrivacyRequest(
        kind=kind,
        shop=message.shop,
        subject=_subject(kind, customer_id, message),
        received_at=message.received_at,
        customer_id=customer_id,
        order_ids=_orders_in(payload, orders_field),
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
    """The customer's id; None if Shopify names an e-mail address only, as of a subscriber.

    Raises InvalidRequest if nobody is named.
    """
    customer = _member(payload, "customer")
    if customer is None:
        raise InvalidRequest("customer", "customer is missing: nobody is named.")
    found = customer.get("id")
    return None if found is None else customer_digits(found, "customer.id")


def _subject(kind: Kind, customer_id: str | None, message: Message) -> str:
    """The subject of a request; a customer is erased only once."""
    if kind is Kind.CUSTOMER and customer_id is not None:
        return customer_id
    number = (_member(message.payload, "data_request") or {}).get("id")
    if number is None:
        name = hashlib.sha256(message.event_id.encode()).hexdigest()[:16]
    else:
        name = number_digits(number, "data_request.id")
    return f"{customer_id or '-'}#{name}"
