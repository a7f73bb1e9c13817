"""The part of the container for the shop's staff: what they may do, and what they do."""

from typing import TYPE_CHECKING

from pointbook.domain.chain import Cause
from pointbook.operator_container import OperatorContainer

if TYPE_CHECKING:
    from pointbook.domain.programme import Programme
    from pointbook.services.holds import HoldService
    from pointbook.services.staff import StaffService

STAFF_SOURCE = "staff"
"""The source of entries about holds that the staff takes and releases for a customer."""


class StaffContainer(OperatorContainer):
    """What the staff's functions need besides: they read accounts as operators do."""

    def staff_service(self, shop: str) -> "StaffService":
        """The service behind the staff's adjustments, under the programme in force."""
        return self._staff_service(shop, self.programme(shop))

    def shown_staff_service(self, shop: str) -> "StaffService":
        """The same under the programme that is shown; only for reading."""
        return self._staff_service(shop, self.shown_programme(shop))

    def staff_hold_service(self, shop: str, actor: str) -> "HoldService":
        """The service that takes and releases holds for customers, named by `actor`."""
        return self.hold_service(shop).asked_by(Cause(STAFF_SOURCE, actor))

    def _staff_service(self, shop: str, programme: "Programme") -> "StaffService":
        from pointbook.services.staff import StaffService  # noqa: PLC0415 - for two functions
        from pointbook.store.staff_limits import StaffLimits  # noqa: PLC0415 - same

        limits = StaffLimits(self._table.outside_ledger())
        return StaffService(shop, self.ledger, self.clock, programme, limits.points_moved)
