"""Who invokes a function is told what there is to choose from."""

import pytest

from local.invoke import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "functions: adjust_points, "),
        (["get_point", "by_header"], "functions: adjust_points, "),
        (["get_points"], "cases of get_points: another_customer, by_cookie, "),
        (["get_points", "by_heart"], "cases of get_points: another_customer, by_cookie, "),
        (["get_points", "by_header", "again"], "cases of get_points: another_customer, "),
    ],
)
def test_what_names_no_sample_is_answered_with_the_names_that_there_are(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(arguments) == 2
    usage, choice = capsys.readouterr().err.splitlines()
    assert usage.startswith("usage: ")
    assert choice.startswith(said)
