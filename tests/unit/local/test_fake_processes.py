"""Which fakes a run starts, and what the stack is told of the till."""

import pytest

from local import demo, fake_processes
from local.options import Options
from local.problems import LocalProblem
from pointbook.till.providers import CREDENTIALS


def test_the_fake_of_the_chosen_till_is_started() -> None:
    modules = {
        provider: fake_processes.modules(Options.from_env({"TILL_PROVIDER": provider})).get("till")
        for provider in ("", "smaregi", "square", "recore", "none")
    }
    assert modules == {
        "": "till",
        "smaregi": "till",
        "square": "square",
        "recore": "recore",
        "none": None,
    }


def test_every_till_has_a_fake_and_credentials_that_it_accepts() -> None:
    assert demo.TILLS.keys() == CREDENTIALS.keys()
    for provider, names in CREDENTIALS.items():
        assert {*names} == demo.TILLS[provider].keys()
        assert "till" in fake_processes.modules(Options.from_env({"TILL_PROVIDER": provider}))


def test_a_till_that_nobody_makes_is_refused() -> None:
    with pytest.raises(LocalProblem, match="TILL_PROVIDER is 'airregi'"):
        fake_processes.modules(Options.from_env({"TILL_PROVIDER": "airregi"}))
