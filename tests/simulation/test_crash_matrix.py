"""Whatever fails at whatever call: after one retry there is one effect, and its answer."""

import pytest

from tests.simulation.kernel.crash_matrix import CASES, Case, count_cases, try_case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_clean_retry_makes_it_right(case: Case) -> None:
    wrong = list(try_case(case))
    assert not wrong, "\n".join(wrong)


def test_the_matrix_is_large_enough() -> None:
    assert len(CASES) >= 15
    assert sum(map(count_cases, CASES)) >= 300
