"""Shopify Flow's triggers: what each one tells, as the payload of `flowTriggerReceive`.

A payload is flat; its keys are the field keys of `shopify/extensions/<handle>/`, as written there,
and every declared field is in it (https://shopify.dev/docs/apps/build/flow/triggers/reference).
Flow takes the customer as the number that its customer reference asks for, points as numbers, and
at most 50,000 bytes: texts are cut so that no payload comes near it. It knows no repeats: the Entry
Id is what a workflow can tell them by.
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
    """What is sent: the trigger's handle and its payload."""

    handle: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class Occasion:
    """What led to a trigger.

    `entry_id` is the entry told of, or the book's last one where none was written; "" while there
    is none. `source` is the door it came through (flow, order, my_page, schedule, manual, ...):
    "flow" wherever one of our actions is behind it, so that a workflow can stop a loop.
    """

    entry_id: str
    source: str

    @classmethod
    def of(cls, booked: BookedEntry) -> Self:
        """The occasion that a booked entry is."""
        return cls(booked.entry.entry_id, booked.cause.source)


def balance(customer_id: str, figures: Figures, occasion: Occasion) -> Trigger:
    """The six figures, because the action report-points asked for them."""
    payload = _customer(customer_id) | _figures(figures) | _occasion(occasion)
    return Trigger(POINTS_BALANCE, payload)


def changed(booked: BookedEntry) -> Trigger:
    """The six figures after an entry, whichever of them it changed."""
    entry = booked.entry
    payload = (
        _customer(entry.customer_id) | _figures(entry.figures) | _occasion(Occasion.of(booked))
    )
    return Trigger(POINTS_CHANGED, payload)


def approved_changed(booked: BookedEntry) -> Trigger:
    """The change of approved points that an entry is, signed and absolute, and the figures after.

    The reason is "" for an entry without one. ValueError for an entry that leaves approved as it
    was.
    """
    entry = booked.entry
    delta_points = entry.approved_delta
    if delta_points == 0:
        raise ValueError(f"entry {entry.entry_id} ({entry.topic}) does not change approved")
    change: Payload = {
        "Topic": _line(entry.topic.value),
        "Points Delta": delta_points,
        "Points Delta Absolute": abs(delta_points),
    }
    reason: Payload = {"Reason": _line(booked.text.reason if booked.text else "")}
    payload = (
        _customer(entry.customer_id)
        | change
        | _figures(entry.figures)
        | reason
        | _occasion(Occasion.of(booked))
    )
    return Trigger(POINTS_APPROVED_CHANGED, payload)


def triggers_for(booked: BookedEntry) -> tuple[Trigger, ...]:
    """What an entry is to be told by, in the order of sending; most have two, some none.

    Figures are sums of buckets, so what a movement changes can be read off the movement itself.
    """
    triggers = []
    if booked.entry.approved_delta != 0:
        triggers.append(approved_changed(booked))
    if any(Balances().moved(booked.entry.moves).figures()):
        triggers.append(changed(booked))
    return tuple(triggers)


def expiring(customer_id: str, points: int, expires_on: date, occasion: Occasion) -> Trigger:
    """So many points can be spent through the day `expires_on`, and not after it."""
    lot: Payload = {"Points Expiring": points, "Expires On": expires_on.isoformat()}
    return Trigger(POINTS_EXPIRING, _customer(customer_id) | lot | _occasion(occasion))


def _customer(customer_id: str) -> Payload:
    """An erased customer's pseudonym is no customer of Shopify's: ValueError."""
    if not is_customer_digits(customer_id):
        raise ValueError(f"{customer_id!r} are not the digits of a customer id")
    return {"customer_id": int(customer_id)}


def _figures(figures: Figures) -> Payload:
    return {f"Points {name.title()}": points for name, points in figures._asdict().items()}


def _occasion(occasion: Occasion) -> Payload:
    return {"Entry Id": _line(occasion.entry_id), "Source": _line(occasion.source)}


def _line(text: str) -> str:
    """One line, as a single-line text field holds it, of a length that a workflow can use."""
    return " ".join(text.split())[:TEXT_LENGTH_MAX]
