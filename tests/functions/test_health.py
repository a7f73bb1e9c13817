"""The API says that it is there."""

from tests.support.harness import Functions


def test_health_answers_without_reading_the_table(functions: Functions) -> None:
    answer = functions.sample("health", "get")
    assert (answer.status, answer.body) == (200, {"status": "ok"})
