"""GET /v1/staff/books: a month's statements that are on file, for managers of the shop."""

import re

from pointbook.domain.expiry import day_of
from pointbook.domain.staff import Right
from pointbook.entrypoints.http import staff_endpoint
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.entrypoints.staff_auth import permitted
from pointbook.errors import InvalidRequest
from pointbook.manager_container import ManagerContainer
from pointbook.validation import shown


@staff_endpoint(ManagerContainer.from_env)
def handler(request: Request, container: ManagerContainer) -> Response:
    """Authenticate, read the month's files."""
    staff = permitted(request, container, Right.MANAGE)
    time_zone = container.shown_programme(staff.shop).time_zone
    today = day_of(container.clock.now(), time_zone)
    year, month = _month(request.query_value("month"), (today.year, today.month))
    with request.timing.measure("ledger"):
        return Response(200, container.month_books(staff.shop).month(year, month))


def _month(text: str | None, current: tuple[int, int]) -> tuple[int, int]:
    if text is None:
        return current
    found = re.fullmatch("([0-9]{4})-(0[1-9]|1[0-2])", text)
    if found is None or found[1] < "2000":
        raise InvalidRequest("month", f"month is {shown(text)}, but must be one such as 2026-11.")
    given = int(found[1]), int(found[2])
    if given > current:
        raise InvalidRequest("month", f"The month {text} has not begun.")
    return given
