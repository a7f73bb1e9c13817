"""The action "report points": sends a customer's six figures to Flow at a workflow's request.

    sent before? ──► answer as then
         │
    read the account ──► too often within the hour? ──► refused
         │
    send the trigger ──► record that it was sent ──► answer

It is recorded after it was sent, so it is sent at least once: after an interruption between the
two, the next attempt sends it again with the same Entry Id.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pointbook import log
from pointbook.domain.entry import entry_id
from pointbook.domain.ports import Clock, IdempotencyRecord
from pointbook.domain.refusal import Code, Refusal
from pointbook.errors import LedgerUnavailable, ShopifyRefused, ShopifyUnavailable
from pointbook.ledger.instruction import Booked, Identity, content_hash
from pointbook.ledger.ledger import Ledger
from pointbook.ledger.read_only import View
from pointbook.services.publishing.shop_run import Flow, Subscriptions
from pointbook.shopify import triggers
from pointbook.shopify.flow_action import REPORT_POINTS, FlowAction
from pointbook.shopify.triggers import Occasion
from pointbook.store.customer_items import CustomerErased
from pointbook.store.reports import Reports

ANSWER_SECONDS = 8.0
"""The limit for sending the trigger: Flow waits 10 s, and one write is left to do."""

SHOP_REFUSED_RETRY_SECONDS = 300

_SOURCE = "flow"

REJECTED = Refusal(
    Code.TRIGGER_REFUSED,
    "Shopify did not take the report, so no workflow was started."
    " Ask the engineer to look at the log.",
)

ERASED = Refusal(Code.CUSTOMER_ERASED, "This customer's data was erased on request.")
"""Also if it happened while Shopify was called: nothing is recorded of such a report."""


def reported_too_often(per_hour: int) -> Refusal:
    """Return the refusal of further reports of a customer within this hour."""
    return Refusal(
        Code.LOOP_REFUSED,
        f"This customer's points were reported {per_hour:,} times within an hour:"
        " look for a workflow that begins with Points reported and reports again.",
    )


@dataclass(frozen=True, slots=True)
class ReportSender:
    """Sends reports: reads the ledger, sends the trigger, records that it was sent.

    `per_hour` limits the reports of one customer: no points move, so the depth of a chain of
    entries does not stop a workflow that starts with a report and requests another.
    """

    ledger: Ledger
    reports: Reports
    subscriptions: Subscriptions
    flow: Callable[[str], Flow]
    clock: Clock
    per_hour: int

    def report(self, action: FlowAction) -> Booked | Refusal:
        """Carry out one run of the action; a repetition gets the first answer.

        Raises ShopifyUnavailable and LedgerUnavailable: nothing was sent, or that is unknown.
        """
        until = self.clock.monotonic() + ANSWER_SECONDS
        shop, customer_id = action.shop, action.customer_id
        identity = Identity(f"flow:{REPORT_POINTS}:run", action.action_run_id)
        before = self.reports.find(shop, customer_id, identity.key_hash)
        if before is not None:
            return replace(_answer(before), duplicate=True)
        view = self.ledger.read(shop, customer_id)
        try:
            refusal = self._refusal(shop, customer_id, view) or self._send(shop, view, until)
            return refusal or self._recorded(shop, customer_id, identity, view)
        except CustomerErased:
            return ERASED

    def _recorded(self, shop: str, customer_id: str, identity: Identity, view: View) -> Booked:
        """Record what was sent; a failed write is accepted. Raises CustomerErased."""
        report = IdempotencyRecord(
            key_hash=identity.key_hash,
            content_hash=content_hash({"action": REPORT_POINTS, "customer": customer_id}),
            entry_ids=_last_entry(view),
            figures=view.figures,
        )
        try:
            return _answer(self.reports.record(shop, customer_id, report))
        except LedgerUnavailable:  # it was sent: a retry would only send it again
            log.warning("report_not_recorded", shop=shop, customer_id=customer_id)
            return _answer(report)

    def _refusal(self, shop: str, customer_id: str, view: View) -> Refusal | None:
        if view.erased:
            return ERASED
        if self.reports.count(shop, customer_id, self.clock.now(), self.per_hour):
            return None
        return reported_too_often(self.per_hour)

    def _send(self, shop: str, view: View, until: float) -> Refusal | None:
        """Send the trigger, unless no workflow uses it."""
        if triggers.POINTS_BALANCE in self.subscriptions.disabled_handles(shop):
            return None
        occasion = Occasion("".join(_last_entry(view)), _SOURCE)
        trigger = triggers.balance(view.customer_id, view.figures, occasion)
        try:
            reason = self.flow(shop).send(trigger, max(0.0, until - self.clock.monotonic()))
        except ShopifyRefused as refused:  # the whole shop: a person has to fix it
            log.error("shop_refused", shop=shop, reason=str(refused))
            raise ShopifyUnavailable(SHOP_REFUSED_RETRY_SECONDS) from refused
        if reason is None:
            log.metric("TriggersSent", 1, Handle=trigger.handle)
            return None
        log.error("trigger_refused", shop=shop, customer_id=view.customer_id, reason=reason)
        log.metric("TriggersRefused")
        return REJECTED


def _last_entry(view: View) -> tuple[str, ...]:
    return (entry_id(view.customer_id, view.version),) if view.version else ()


def _answer(report: IdempotencyRecord) -> Booked:
    return Booked(report.entry_ids, report.figures)
