"""Messages on the queue `till_refreshes`, which `refresh_till` works on.

    {"shop": "demo.myshopify.com", "customer_id": "8840734670934"}    refresh this cached member
    {"notices": true}                                                 notify the operator

Nothing is lost with a message: the next view requests another, and the schedule sends notices.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from pointbook import log
from pointbook.domain.ports import Clock
from pointbook.errors import MalformedBody, PointbookError
from pointbook.settings import TILL_REFRESHES
from pointbook.store.till_members import TillMembers
from pointbook.validation import json_object

CLAIM_SECONDS = 10.0
"""For how long no other refresh is requested: a little longer than one takes."""

type Enqueue = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Refresh:
    """A customer whose cached member is to be refreshed."""

    shop: str
    customer_id: str


class TillRefreshes:
    """Requests refreshes: one for each member, however many views need it."""

    def __init__(self, members: TillMembers, enqueue: Enqueue, clock: Clock) -> None:
        """`clock` is real time."""
        self._members = members
        self._enqueue = enqueue
        self._clock = clock

    def request(self, shop: str, customer_id: str) -> None:
        """Request a refresh unless one is under way. A failure is logged; the next view tries."""
        now = self._clock.now()
        try:
            until = now + timedelta(seconds=CLAIM_SECONDS)
            if self._members.claim_refresh(shop, customer_id, now, until):
                text = json.dumps({"shop": shop, "customer_id": customer_id})
                self._enqueue(TILL_REFRESHES, text)
        except PointbookError:
            log.exception("till_refresh_not_requested", shop=shop, customer_id=customer_id)


def announce(enqueue: Enqueue) -> None:
    """Request that notices are sent; if that fails, the schedule sends them within a minute."""
    try:
        enqueue(TILL_REFRESHES, json.dumps({"notices": True}))
    except PointbookError:
        log.exception("till_notices_not_requested")


def read_refresh(text: str) -> Refresh | None:
    """The refresh that a message asks for; None for one about notices. Raises MalformedBody."""
    members = json_object(text.encode("utf-8", "surrogatepass"))
    if members.get("notices") is True:
        return None
    shop, customer_id = members.get("shop"), members.get("customer_id")
    if not isinstance(shop, str) or not isinstance(customer_id, str):
        raise MalformedBody("The message lacks its shop or customer.")
    return Refresh(shop, customer_id)
