"""The action "report points": tell Flow a customer's six figures because a workflow asked.

    sent before? ──► answer as then
         │
    read the book ──► too often within the hour? ──► refused
         │
    send the trigger ──► remember that it was sent ──► answer

Remembered after sending, so that it is sent at least once: cut off between the two, the next try
sends it again, and its Entry Id is the same.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pointbook import log
from pointbook.domain.entry import entry_id
from pointbook.domain.ports import Clock, IdempotencyRecord
from pointbook.domain.refusal import Code, Refusal
from pointbook.errors import LedgerUnavailable, ShopifyRefused, ShopifyUnavailable
from pointbook.ledger.instruction import Booked, Identity, View, content_hash
from pointbook.ledger.ledger import Ledger
from pointbook.services.publishing.outbox import Flow, Subscriptions
from pointbook.shopify import triggers
from pointbook.shopify.flow_action import REPORT_POINTS, FlowAction
from pointbook.shopify.triggers import Occasion
from pointbook.store.beside import CustomerErased
from pointbook.store.reports import Reports

ANSWER_SECONDS = 8.0
"""Flow waits 10 s for the action; by then the trigger is sent, and one write is left."""

SHOP_REFUSED_RETRY_SECONDS = 300

_SOURCE = "flow"

NOT_TAKEN = Refusal(
    Code.TRIGGER_REFUSED,
    "Shopify did not take the report, so no workflow was started."
    " Ask the engineer to look at the log.",
)


ERASED = Refusal(Code.CUSTOMER_ERASED, "This customer's data was erased on request.")
"""Also where that happened while Shopify was asked: nothing is kept of such a report."""


def reported_too_often(per_hour: int) -> Refusal:
    """Why a customer is not reported any more within this hour."""
    return Refusal(
        Code.LOOP_REFUSED,
        f"This customer's points were reported {per_hour:,} times within an hour:"
        " look for a workflow that begins with Points reported and reports again.",
    )


@dataclass(frozen=True, slots=True)
class ReportSender:
    """What reporting needs: the ledger, what was reported before, and Flow of the shop.

    `per_hour` is how often one customer is reported within an hour: no points move, so no chain of
    entries stops a workflow that begins with a report and asks for another.
    """

    ledger: Ledger
    reports: Reports
    subscriptions: Subscriptions
    flow: Callable[[str], Flow]
    clock: Clock
    per_hour: int

    def report(self, action: FlowAction) -> Booked | Refusal:
        """Carry one run of the action out; the same run again is answered as the first time.

        Raises ShopifyUnavailable and LedgerUnavailable: nothing was sent, or nobody knows.
        """
        until = self.clock.monotonic() + ANSWER_SECONDS
        shop, customer_id = action.shop, action.customer_id
        identity = Identity(f"flow:{REPORT_POINTS}:run", action.action_run_id)
        before = self.reports.known(shop, customer_id, identity.key_hash)
        if before is not None:
            return replace(_answer(before), duplicate=True)
        view = self.ledger.read(shop, customer_id)
        try:
            refusal = self._refusal(shop, customer_id, view) or self._send(shop, view, until)
            return refusal or self._remembered(shop, customer_id, identity, view)
        except CustomerErased:
            return ERASED

    def _remembered(self, shop: str, customer_id: str, identity: Identity, view: View) -> Booked:
        """Remember what was sent; one write, whose loss is borne. Raises CustomerErased."""
        report = IdempotencyRecord(
            key_hash=identity.key_hash,
            content_hash=content_hash({"action": REPORT_POINTS, "customer": customer_id}),
            entry_ids=_last_entry(view),
            figures=view.figures,
        )
        try:
            return _answer(self.reports.remember(shop, customer_id, report))
        except LedgerUnavailable:  # it was sent: another try would only send it again
            log.warning("report_not_remembered", shop=shop, customer_id=customer_id)
            return _answer(report)

    def _refusal(self, shop: str, customer_id: str, view: View) -> Refusal | None:
        if view.erased:
            return ERASED
        if self.reports.count(shop, customer_id, self.clock.now(), self.per_hour):
            return None
        return reported_too_often(self.per_hour)

    def _send(self, shop: str, view: View, until: float) -> Refusal | None:
        """Send the trigger, unless nobody listens."""
        if triggers.POINTS_BALANCE in self.subscriptions.disabled_handles(shop):
            return None
        occasion = Occasion("".join(_last_entry(view)), _SOURCE)
        trigger = triggers.balance(view.customer_id, view.figures, occasion)
        try:
            why = self.flow(shop).tell(trigger, max(0.0, until - self.clock.monotonic()))
        except ShopifyRefused as refused:  # the whole shop: somebody has to put it right
            log.error("shop_refused", shop=shop, why=str(refused))
            raise ShopifyUnavailable(SHOP_REFUSED_RETRY_SECONDS) from refused
        if why is None:
            log.metric("TriggersSent", 1, Handle=trigger.handle)
            return None
        log.error("trigger_refused", shop=shop, customer_id=view.customer_id, why=why)
        log.metric("TriggersRefused")
        return NOT_TAKEN


def _last_entry(view: View) -> tuple[str, ...]:
    return (entry_id(view.customer_id, view.version),) if view.version else ()


def _answer(report: IdempotencyRecord) -> Booked:
    return Booked(report.entry_ids, report.figures)
