"""The answer to a request for a hold, the same for a customer and for the shop's staff."""

from pointbook.entrypoints.response import REPLAY_HEADER, Response
from pointbook.page.hold import cart_url
from pointbook.services.holds import HoldResult


def held_response(held: HoldResult, shop: str) -> Response:
    """Return a ready hold with its discount code; the same for every repetition."""
    body = {
        "hold_id": held.hold_id,
        "points": held.points,
        "discount_code": held.code,
        "discount_amount": held.amount,
        "currency": held.currency,
        "cart_url": cart_url(shop, held.code),
        "expires_at": held.ends_at.isoformat(timespec="milliseconds"),
        "figures": held.figures._asdict(),
    }
    return Response(201, body, {REPLAY_HEADER: "true"} if held.repeated else {})
