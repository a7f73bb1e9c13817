"""GET /v1/health: the API answers."""

from pointbook import environment
from pointbook.entrypoints.http import my_page_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response

settings = environment.settings()
settings.first_programme()


@my_page_endpoint(stage=settings.stage, login_url=settings.login_url)
def handler(_request: Request) -> Response:
    """Say that the function could start with the settings that it was given."""
    return Response(200, {"status": "ok"})
