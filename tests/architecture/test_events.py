"""The sample events are what the tool writes: nobody mends one by hand and is overwritten."""

from tools import make_events


def test_the_sample_events_are_those_that_the_tool_writes() -> None:
    assert make_events.differences() == []


def test_no_two_cases_share_a_file() -> None:
    names = [(function, name) for function, name, _ in make_events.cases()]
    assert len(names) == len(set(names))
