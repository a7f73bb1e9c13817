"""What a container caches between the calls of a function, and for how long."""

import pytest

from pointbook.base_container import CACHE_SECONDS, Cached
from pointbook.errors import LedgerUnavailable


class Source:
    """Gives 1, 2, 3, ... each time it is read, unless it `fails`; and has a clock."""

    def __init__(self) -> None:
        self.reads = 0
        self.fails = False
        self.now = 0.0
        self.cached = Cached("a number", self.read, lambda: self.now)

    def read(self) -> int:
        self.reads += 1
        if self.fails:
            raise LedgerUnavailable(retry_after_seconds=1)
        return self.reads


def test_a_cached_value_is_read_again_after_a_minute() -> None:
    """So a rotated secret or a changed programme is noticed by functions that go on running."""
    source = Source()
    seen = []
    for source.now in (0.0, 59.9, 60.0, 119.9):
        seen.append(source.cached.get())
    assert (CACHE_SECONDS, seen) == (60.0, [1, 1, 2, 2])


def test_the_last_good_value_is_used_while_it_cannot_be_read_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = Source()
    assert source.cached.get() == 1
    source.fails = True
    for source.now in (60.0, 119.9):
        assert source.cached.get() == 1
    assert source.reads == 2, "a failure is not repeated at every call"
    written = capsys.readouterr().out
    assert "cached_value_not_renewed" in written
    assert "KeptValuesNotRenewed" in written
    source.fails = False
    source.now = 120.0
    assert source.cached.get() == 3


def test_without_a_good_value_the_failure_is_raised_and_nothing_is_cached() -> None:
    source = Source()
    source.fails = True
    for _ in range(2):
        with pytest.raises(LedgerUnavailable):
            source.cached.get()
    source.fails = False
    assert source.cached.get() == 3
