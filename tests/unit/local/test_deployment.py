"""Template parameters on a laptop: the emulator checks none, so the deployment does."""

from typing import Any

import pytest

from local import deployment
from local.options import ROOT
from local.problems import LocalProblem

TEMPLATE = deployment.read_template(ROOT)
NOT_REACHED: Any = None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HoldSeconds", "0"),
        ("HoldSeconds", "86401"),
        ("HoldSeconds", "soon"),
        ("PointsPerUnit", "-1"),
        ("Rounding", "up"),
        ("RankMultipliers", "gold"),
        ("BirthdayPoints", "10"),
    ],
)
def test_a_value_that_cloudformation_would_refuse_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(LocalProblem, match=name):
        deployment.deploy(NOT_REACHED, TEMPLATE, NOT_REACHED, {name: value})


def test_a_parameter_is_set_by_its_name_in_capitals() -> None:
    environ = {"HOLD_SECONDS": "5", "SIGN_UP_POINTS": "50", "RANK_MULTIPLIERS": "", "HOME": "/"}
    found = deployment.parameters_from(TEMPLATE, environ)
    assert found == {"HoldSeconds": "5", "SignUpPoints": "50"}
