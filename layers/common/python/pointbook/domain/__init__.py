"""The rules of points: standard library only, no clock, no I/O, integers only."""

from pointbook.domain.account import Account
from pointbook.domain.decide import Decision, decide, settled
from pointbook.domain.merge import Merged, merge
from pointbook.domain.refusal import Refusal

__all__ = ["Account", "Decision", "Merged", "Refusal", "decide", "merge", "settled"]
