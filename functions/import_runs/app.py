"""Imports of files: start a run (POST .../imports/{import_id}/runs), or report it (GET)."""

from pointbook import log
from pointbook.entrypoints.http import operator_endpoint
from pointbook.entrypoints.operator_auth import operator, shop_of
from pointbook.entrypoints.request import Request
from pointbook.entrypoints.response import Response
from pointbook.errors import ImportNotFound, InvalidRequest
from pointbook.import_container import ImportContainer
from pointbook.services.bulk_imports.plan import message_of
from pointbook.services.bulk_imports.report import latest_run, report_of
from pointbook.services.bulk_imports.runs import (
    FILE,
    PLAN,
    QUEUE,
    Kind,
    Run,
    imports_of,
    json_bytes,
    read_run_id,
)
from pointbook.services.imports import read_import_id
from pointbook.validation import shown


@operator_endpoint(ImportContainer.from_env)
def handler(request: Request, container: ImportContainer) -> Response:
    """Authenticate, then start or report."""
    actor = operator(request)
    import_id = read_import_id(request.path_parameters.get("import_id"))
    if request.method == "GET":
        return _report(request, import_id, container)
    return _start(request, import_id, actor, container)


def _start(request: Request, import_id: str, actor: str, container: ImportContainer) -> Response:
    body = request.json_object()
    shop = shop_of(body.get("shop"), container.settings.shops)
    dry_run, kind = body.get("dry_run", False), body.get("kind", Kind.IMPORT)
    if not isinstance(dry_run, bool):
        raise InvalidRequest("dry_run", "dry_run must be true or false.")
    if kind not in tuple(Kind):
        raise InvalidRequest("kind", f"kind is {shown(kind)}, but must be import or undo.")
    run = Run(shop, import_id, read_run_id(body.get("run_id")), Kind(kind), dry_run, actor)
    files = container.import_files
    if run.kind is Kind.IMPORT and not files.exists(run.key(FILE)):
        raise InvalidRequest("run_id", f"Upload the file as {run.key(FILE)} first.")
    if run.kind is Kind.UNDO and not imports_of(files, shop, import_id):
        raise ImportNotFound(import_id)
    started = files.get(run.key("run.json"))
    if started is not None and started != json_bytes(run.as_json()):
        raise InvalidRequest("run_id", "There is another run of this id: take a new one.")
    files.put(run.key("run.json"), json_bytes(run.as_json()))
    container.enqueue(QUEUE, message_of(run, container.wall_clock, PLAN))
    log.info("import_started", **run.as_json())
    return Response(202, report_of(files, run).as_json())


def _report(request: Request, import_id: str, container: ImportContainer) -> Response:
    shop = shop_of(request.query_value("shop"), container.settings.shops)
    run_id = request.query_value("run_id")
    run = latest_run(container.import_files, shop, import_id, run_id)
    if run is None:
        raise ImportNotFound(import_id)
    return Response(200, report_of(container.import_files, run).as_json())
