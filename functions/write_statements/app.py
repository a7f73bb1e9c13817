"""On schedule: write each shop's statement of the days that are over into a file."""

from pointbook.books_container import BooksContainer
from pointbook.entrypoints.schedule import Run, scheduled
from pointbook.services.statement_runs import StatementResult


@scheduled(BooksContainer.from_env)
def handler(run: Run, container: BooksContainer) -> StatementResult:
    """Go on where the last run ended, as long as there is time."""
    return container.statement_runs().run(container.settings.shops, run.seconds)
