"""GET /: the app's page, which a merchant sees who opens the app from Shopify's admin."""

from pointbook import log
from pointbook.base_container import BaseContainer
from pointbook.entrypoints.http import html_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.errors import PointbookError
from pointbook.page.app_page import CONTENT_TYPE, HEADERS, NOT_READY, app_page
from pointbook.page.locale import choose_locale
from pointbook.shopify.app_launch import is_launch, verify_launch


@html_endpoint(BaseContainer.from_env)
def handler(request: Request, container: BaseContainer) -> Response:
    """Say what the app is and where it is found; to who comes from the admin, the shop's status."""
    # The first of several: a page is shown whatever is requested.
    requested = next((value for name, value in request.query if name == "locale"), None)
    locale = choose_locale(requested, request.header("accept-language"), "en")
    status, shop = _status(request, container) if is_launch(request.query) else (None, "")
    return Response(200, app_page(locale, status, shop), HEADERS, CONTENT_TYPE)


def _status(request: Request, container: BaseContainer) -> tuple[str, str]:
    """Return the shop's status and its domain, "" if that is not proven."""
    try:
        return verify_launch(request.query, container.app_keys())
    except PointbookError:
        log.exception("app_secret_not_read")
        return NOT_READY, ""
