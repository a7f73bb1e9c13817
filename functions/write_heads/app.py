"""On schedule: record the heads of all chains once a day, where nobody can overwrite them."""

from pointbook.books_container import BooksContainer
from pointbook.entrypoints.schedule import Run, scheduled
from pointbook.services.head_recorder import HeadsResult


@scheduled(BooksContainer.from_env)
def handler(run: Run, container: BooksContainer) -> HeadsResult:
    """Go on with today's heads from where the last run ended; nothing if they are complete."""
    return container.head_recorder().run(container.settings.shops, run.seconds)
