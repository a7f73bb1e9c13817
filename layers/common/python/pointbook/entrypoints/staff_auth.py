"""Authentication for the staff's API: who of the shop's staff asks, and whether they may.

A route calls `permitted` with the right that it needs, and has all that it needs.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pointbook.base_container import BaseContainer
from pointbook.domain.staff import Right
from pointbook.entrypoints.request import AUTHORIZATION_HEADER, Request
from pointbook.errors import NotPermitted, Unauthenticated
from pointbook.shopify.caller import bearer_token
from pointbook.shopify.ids import number_digits
from pointbook.shopify.staff_token import StaffSession, verify_staff_token

if TYPE_CHECKING:
    from pointbook.container import Container

_RIGHTS_TO_READ = (Right.LOOK, Right.MANAGE)


def staff_session(request: Request, container: BaseContainer) -> StaffSession:
    """Return the authenticated session of a request by the shop's staff, whatever they may do.

    Only a token in the header counts: no cookie, no app proxy. Tokens are verified by the wall
    clock, even if the ledger's clock is moved. Raises Unauthenticated, or RateLimited if this
    member of the staff has sent too many requests.
    """
    with request.timing.measure("token"):
        token = bearer_token(request.header(AUTHORIZATION_HEADER))
        if not token:
            raise Unauthenticated("token_missing")
        session = verify_staff_token(token, container.app_keys(), datetime.now(UTC))
        container.request_limiter.count(session.shop, f"staff:{session.staff_id}")
        return session


def permitted(request: Request, container: "Container", right: Right) -> StaffSession:
    """Return the session of a member of the staff who has a right.

    What only reads goes by the programme that is shown, so that it needs no right to write. Raises
    what `staff_session` does, and NotPermitted.
    """
    session = staff_session(request, container)
    reads = right in _RIGHTS_TO_READ
    programme = (container.shown_programme if reads else container.programme)(session.shop)
    if not programme.permits(right, session.staff_id):
        raise NotPermitted(f"staff_{right}")
    return session


def staff_actor(session: StaffSession, body: Mapping[str, Any]) -> str:
    """Return who acts as entries name them: `staff:70000000001`.

    The token names the user who is logged in. At a POS another one may have pressed, whom the page
    names in `by`: a hint that nothing proves, `staff:70000000001 for staff:70000000002`. Raises
    InvalidRequest.
    """
    actor, by = f"staff:{session.staff_id}", body.get("by")
    return actor if by is None else f"{actor} for staff:{number_digits(by, 'by')}"
