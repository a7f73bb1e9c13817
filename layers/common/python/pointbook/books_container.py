"""The container of the functions that keep the books: beside the ledger, files of its records."""

from typing import TYPE_CHECKING

from pointbook.container import Container

if TYPE_CHECKING:
    from pointbook.services.head_recorder import HeadRecorder


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
