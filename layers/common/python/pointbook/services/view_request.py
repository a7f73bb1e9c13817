"""How a view of my page is to be answered."""

from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pointbook.domain.programme_rules import RankLabels
    from pointbook.page.locale import Locale


@dataclass(frozen=True, slots=True)
class ViewRequest:
    """Language, time zone and labels of a view; `only_known`: it does not wait for the till."""

    locale: "Locale"
    time_zone: tzinfo
    rank_labels: "RankLabels" = ()
    only_known: bool = False
