"""GET /v1/health: the API answers."""

from pointbook.base_container import BaseContainer
from pointbook.entrypoints.http import my_page_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response


def checked_container() -> BaseContainer:
    """The container; a programme parameter that is wrong ends the start, as other settings do."""
    container = BaseContainer.from_env()
    container.settings.default_programme()
    return container


@my_page_endpoint(checked_container)
def handler(_request: Request, _container: BaseContainer) -> Response:
    """Say that the function could start with the settings that it was given."""
    return Response(200, {"status": "ok"})
