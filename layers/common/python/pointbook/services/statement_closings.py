"""What the statements on file close with, so that entries can be compared with them."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Protocol

from pointbook.domain.buckets import Bucket
from pointbook.domain.closings import Closing
from pointbook.services.statement_lines import StatementFile


class Files(Protocol):
    """The files of statements. Raises Unavailable."""

    def days(self, shop: str, since: date) -> Iterable[date]:
        """The days from `since` on that have a statement."""
        ...

    def read(self, shop: str, day: date) -> str | None:
        """The statement of a day; None if there is none."""
        ...


class StatementClosings:
    """The closing figures of all statements; those with unreadable accounts are not compared."""

    def __init__(self, files: Files) -> None:
        """Read these files."""
        self._files = files

    def closings(self, shop: str, since: date) -> Iterator[Closing]:
        """What a shop's statements close with, from a day on. Raises Unavailable."""
        for day in self._files.days(shop, since):
            lines = self._files.read(shop, day)
            if lines is None:
                continue
            found, _ = StatementFile.read(lines)
            if not found.statement.unreadable:
                closing = found.statement.closing._asdict()
                points = {Bucket(name): points for name, points in closing.items()}
                yield Closing(shop, day, found.period.end, points)
