"""Shopify Flow's triggers, and their payloads for `flowTriggerReceive`.

A payload is flat; its keys are the field keys of `shopify/extensions/<handle>/`, and every declared
field is in it (https://shopify.dev/docs/apps/build/flow/triggers/reference).
Flow expects the customer's id as a number, points as numbers, and at most 50,000 bytes: texts are
cut so that no payload comes near that. Flow does not detect repetitions: a workflow can recognize
them by the Entry Id.
"""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Self

from pointbook.domain.buckets import Balances, Figures
from pointbook.domain.chain import BookedEntry
from pointbook.shopify.ids import is_customer_digits

POINTS_BALANCE = "points-balance"
POINTS_APPROVED_CHANGED = "points-approved-changed"
POINTS_CHANGED = "points-changed"
POINTS_EXPIRING = "points-expiring"

TEXT_LENGTH_MAX = 255

type Payload = dict[str, int | str]


class Trigger(NamedTuple):
    """A trigger's handle and its payload."""

    handle: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class Occasion:
    """The reason for a trigger.

    `entry_id` is the entry that is published, or the account's last one if none was written; "" if
    there is none. `source` is where the entry came from (flow, order, my_page, schedule, manual,
    ...): "flow" if one of our actions caused it, so that a workflow can stop a loop.
    """

    entry_id: str
    source: str

    @classmethod
    def of(cls, booked: BookedEntry) -> Self:
        """Return the occasion of a booked entry."""
        return cls(booked.entry.entry_id, booked.cause.source)


def balance(customer_id: str, figures: Figures, occasion: Occasion) -> Trigger:
    """Return the trigger with the six figures that the action report-points requests."""
    payload = _customer(customer_id) | _figures(figures) | _occasion(occasion)
    return Trigger(POINTS_BALANCE, payload)


def changed(booked: BookedEntry) -> Trigger:
    """Return the trigger with the six figures after an entry."""
    entry = booked.entry
    payload = (
        _customer(entry.customer_id) | _figures(entry.figures) | _occasion(Occasion.of(booked))
    )
    return Trigger(POINTS_CHANGED, payload)


def approved_changed(booked: BookedEntry) -> Trigger:
    """Return the trigger with an entry's change of approved points, and the figures after it.

    The reason is "" for an entry without one. Raises ValueError for an entry that does not change
    approved points.
    """
    entry = booked.entry
    delta_points = entry.approved_delta
    if delta_points == 0:
        raise ValueError(f"entry {entry.entry_id} ({entry.topic}) does not change approved")
    change: Payload = {
        "Topic": _single_line(entry.topic.value),
        "Points Delta": delta_points,
        "Points Delta Absolute": abs(delta_points),
    }
    reason: Payload = {"Reason": _single_line(booked.text.reason if booked.text else "")}
    payload = (
        _customer(entry.customer_id)
        | change
        | _figures(entry.figures)
        | reason
        | _occasion(Occasion.of(booked))
    )
    return Trigger(POINTS_APPROVED_CHANGED, payload)


def triggers_for(booked: BookedEntry) -> tuple[Trigger, ...]:
    """Return the triggers of an entry, in the order of sending; most have two, some none.

    Figures are sums of buckets, so the movement alone shows which of them it changes.
    """
    triggers = []
    if booked.entry.approved_delta != 0:
        triggers.append(approved_changed(booked))
    if any(Balances().moved(booked.entry.moves).figures()):
        triggers.append(changed(booked))
    return tuple(triggers)


def expiring(customer_id: str, points: int, expires_on: date, occasion: Occasion) -> Trigger:
    """Return the trigger of points that can be spent through the day `expires_on`."""
    lot: Payload = {"Points Expiring": points, "Expires On": expires_on.isoformat()}
    return Trigger(POINTS_EXPIRING, _customer(customer_id) | lot | _occasion(occasion))


def _customer(customer_id: str) -> Payload:
    """Raises ValueError for a pseudonym, which is not a customer of Shopify's."""
    if not is_customer_digits(customer_id):
        raise ValueError(f"{customer_id!r} are not the digits of a customer id")
    return {"customer_id": int(customer_id)}


def _figures(figures: Figures) -> Payload:
    return {f"Points {name.title()}": points for name, points in figures._asdict().items()}


def _occasion(occasion: Occasion) -> Payload:
    return {"Entry Id": _single_line(occasion.entry_id), "Source": _single_line(occasion.source)}


def _single_line(text: str) -> str:
    """Return the text on one line, as Flow's single-line fields require, cut to their length."""
    return " ".join(text.split())[:TEXT_LENGTH_MAX]
