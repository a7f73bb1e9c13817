"""POST /v1/operator/imports/{import_id}: import balances, up to 100 rows for each request."""

from pointbook import log
from pointbook.container import Container
from pointbook.deadline import Deadline
from pointbook.entrypoints.http import operator_endpoint
from pointbook.entrypoints.operator_auth import operator, shop_of
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.errors import InvalidRequest
from pointbook.services.imports import Import, read_import_id, read_rows, totals

BODY_BYTES_MAX = 512 * 1024
"""A hundred rows with titles of 255 characters, each written as a JSON escape."""

RUN_SECONDS = 20.0
"""API Gateway waits 30 s; rows that are left by then are `not_done`."""


@operator_endpoint(Container.from_env, body_bytes_max=BODY_BYTES_MAX)
def handler(request: Request, container: Container) -> Response:
    """Authenticate, book row by row, return the result of each, with control totals."""
    actor, body = operator(request), request.json_object()
    import_id = read_import_id(request.path_parameters.get("import_id"))
    shop = shop_of(body.get("shop"), container.settings.shops)
    dry_run = body.get("dry_run", False)
    if not isinstance(dry_run, bool):
        raise InvalidRequest("dry_run", "dry_run must be true or false.")
    rows = read_rows(body.get("rows"))
    programme = container.programme(shop)
    ledger = container.ledger
    batch = Import(import_id, shop, actor, ledger, programme, dry_run=dry_run)
    done = list(batch.run(rows, Deadline.after(RUN_SECONDS)))
    sums = totals(done)
    log.info("rows_imported", import_id=import_id, shop=shop, dry_run=dry_run, totals=sums)
    return Response(200, {"import_id": import_id, "dry_run": dry_run, "rows": done, "totals": sums})
