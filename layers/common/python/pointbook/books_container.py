"""The container of the functions that keep the books: beside the ledger, files of its records."""

from functools import partial
from typing import TYPE_CHECKING

from pointbook.container import Container
from pointbook.store.programmes import PARAMETERS_MIN_AGE

if TYPE_CHECKING:
    from pointbook.services.head_recorder import HeadRecorder
    from pointbook.services.statement_runs import StatementRuns
    from pointbook.services.statements import Statements

STATEMENT_UNITS_PER_SECOND = 1_000.0
"""Read units: some 8 MB a second, little beside what a table on demand can read."""


class BooksContainer(Container):
    """All parts, and those that write records of the ledger to buckets."""

    def head_recorder(self) -> "HeadRecorder":
        """The service that records the daily heads of all chains, at a bounded rate of reads."""
        from pointbook.aws.metered import MeteredClient  # noqa: PLC0415 - for one function
        from pointbook.aws.record_files import RecordFiles  # noqa: PLC0415 - same
        from pointbook.services.head_recorder import UNITS_PER_SECOND, HeadRecorder  # noqa: PLC0415 - same
        from pointbook.store.head_runs import HeadRunStore  # noqa: PLC0415 - same
        from pointbook.store.table import Table  # noqa: PLC0415 - same

        client = MeteredClient(self.dynamodb, self.wall_clock, UNITS_PER_SECOND)
        return HeadRecorder(
            store=HeadRunStore(Table(client, self.settings.table_name)),
            files=RecordFiles(self.s3, self.settings.heads_bucket),
            names=RecordFiles(self.s3, self.settings.privacy_bucket),
            clock=self.clock,
            time_zone=self.default_programme.time_zone,
        )

    def statement_runs(self) -> "StatementRuns":
        """The service that writes the statements of all shops, from where the last run ended."""
        from pointbook.aws.statement_files import StatementFiles  # noqa: PLC0415 - for one function
        from pointbook.services.statement_runs import StatementRuns  # noqa: PLC0415 - same

        files = StatementFiles(self.s3, self.settings.statements_bucket)
        return StatementRuns(self.statements, files, self.clock)

    def statements(self, shop: str) -> "Statements":
        """The statements of a shop."""
        from pointbook.aws.metered import MeteredClient  # noqa: PLC0415 - for one function
        from pointbook.services.statements import ShopRules, Statements, log_disagreement  # noqa: PLC0415 - same
        from pointbook.store.ledger_reader import LedgerReader  # noqa: PLC0415 - same

        stored = self._programmes_with(PARAMETERS_MIN_AGE).history(shop)
        versions = tuple((one.at, one.programme.version) for one in stored if one.at)
        client = MeteredClient(self.dynamodb, self.wall_clock, STATEMENT_UNITS_PER_SECOND)
        reader = LedgerReader(client, self.settings.table_name, self.wall_clock)
        rules = ShopRules.of(self.shown_programme(shop), versions)
        return Statements(shop, rules, reader, partial(log_disagreement, shop))
