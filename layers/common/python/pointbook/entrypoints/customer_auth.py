"""Authentication for my page's API: customers have access to their own points only."""

from datetime import UTC, datetime

from pointbook.base_container import BaseContainer
from pointbook.entrypoints.request import AUTHORIZATION_HEADER, ORIGIN_HEADER, Request
from pointbook.shopify.caller import SESSION_COOKIE, Proofs, identify, own_customer
from pointbook.shopify.session_token import Session


def own_session(request: Request, container: BaseContainer) -> Session:
    """Return the authenticated session of a request whose path names the same customer.

    Tokens are verified by the wall clock, even if the ledger's clock is moved. Raises
    Unauthenticated, OriginRefused, NotYours if the path names another customer, or RateLimited if
    this one has sent too many requests.
    """
    keys, settings = container.app_keys(), container.settings
    with request.timing.measure("token"):
        proofs = Proofs(
            method=request.method,
            authorization=request.header(AUTHORIZATION_HEADER),
            cookies=request.cookie_values(SESSION_COOKIE),
            query=request.query,
            origin=request.header(ORIGIN_HEADER),
        )
        session = identify(proofs, keys, datetime.now(UTC), settings.allowed_origins)
        own_customer(request.path_parameters.get("customer", ""), session)
        container.request_limiter.count(session.shop, session.customer_id)
        return session
