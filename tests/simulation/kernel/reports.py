"""Reports of runs, which add up."""

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Self


@dataclass(slots=True)
class Report:
    """What a run came to, or several. `violation`: the first promise that was broken."""

    seed: int = 0
    violation: str = ""
    answers: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, other: Self) -> Self:
        """Add all counts of another report; the seed stays."""
        for name in (part.name for part in fields(self) if part.name != "seed"):
            ours, theirs = getattr(self, name), getattr(other, name)
            if isinstance(ours, int | Counter):
                setattr(self, name, ours + theirs)
        return self
