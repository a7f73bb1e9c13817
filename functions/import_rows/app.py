"""Queue of imports: plan a file, or carry out a part of its rows."""

from pointbook.entrypoints.queue import queue_worker
from pointbook.import_container import ImportContainer
from pointbook.services.bulk_imports.runs import PLAN, Run
from pointbook.services.message import Message


@queue_worker(ImportContainer.from_env, counts_webhooks=False)
def handler(message: Message, container: ImportContainer) -> None:
    """Plan the run that the message names, or carry out one of its parts."""
    run = Run.from_json(message.payload)
    if message.topic == PLAN:
        container.import_planner().run(run)
    else:
        container.import_worker().carry_out(run, int(message.payload["part"]))
