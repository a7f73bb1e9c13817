"""Sample events about the till: its queue's messages, its schedule and its state."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local import demo
from tools.make_events_operator import signed
from tools.make_events_webhooks import sqs_event

type Case = tuple[str, str, Mapping[str, Any]]
type Http = Callable[[str, str, dict[str, str], bytes], dict[str, Any]]


def till_cases(http: Http, customer: str) -> Iterator[Case]:
    """Function, name of the case, event; `http` makes the event of a request."""
    refresh = json.dumps({"shop": demo.SHOP_DOMAIN, "customer_id": customer})
    notices = json.dumps({"notices": True})
    for case, text in (("refresh", refresh), ("notices", notices), ("unreadable", "{}")):
        yield "refresh_till", case, sqs_event("till_refreshes", text)
    yield "refresh_till", "schedule", {}
    yield "till_status", "get", signed(http("GET", "/v1/operator/till", {}, b""))
    yield "till_status", "not_signed", http("GET", "/v1/operator/till", {}, b"")
