"""The part of the container for imports of files."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from pointbook.container import Container
from pointbook.domain.expiry import day_of

if TYPE_CHECKING:
    from pointbook.services.bulk_imports.booking import Booking
    from pointbook.services.bulk_imports.parts import PartWorker
    from pointbook.services.bulk_imports.plan import Planner
    from pointbook.services.bulk_imports.rows import Calendar
    from pointbook.services.bulk_imports.runs import Files, Run


class ImportContainer(Container):
    """The container of the functions that plan, carry out and report imports."""

    @cached_property
    def import_files(self) -> "Files":
        """The imports' bucket."""
        from pointbook.aws.bucket import Bucket  # noqa: PLC0415 - for two functions

        return Bucket(self.s3, self.settings.imports_bucket)

    def import_planner(self) -> "Planner":
        """The service that plans the runs of imports."""
        from pointbook.services.bulk_imports.plan import Planner  # noqa: PLC0415 - for one function

        return Planner(
            self.import_files, self._booking, self._calendar, self.enqueue, self.wall_clock
        )

    def import_worker(self) -> "PartWorker":
        """The service that carries out the parts of a run."""
        from pointbook.services.bulk_imports.parts import PartWorker  # noqa: PLC0415 - for one function

        rows_per_second = self.settings.import_rows_per_second
        return PartWorker(self.import_files, self._booking, self.wall_clock, rows_per_second)

    @cached_property
    def s3(self) -> Any:
        """The client of S3, with time for large files."""
        from pointbook.aws import bucket  # noqa: PLC0415 - for two functions

        return bucket.connect(read_seconds=60)

    def _booking(self, run: "Run") -> "Booking":
        from pointbook.services.bulk_imports.booking import Booking  # noqa: PLC0415 - same

        return Booking(run, self.ledger, self.programme(run.shop))

    def _calendar(self, shop: str) -> "Calendar":
        from pointbook.services.bulk_imports.rows import Calendar  # noqa: PLC0415 - same

        time_zone = self.programme(shop).time_zone
        return Calendar(time_zone, day_of(self.clock.now(), time_zone))
