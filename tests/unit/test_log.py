import json
import subprocess
import sys
import time

import pytest
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from pointbook import log
from tests.support.logs import logged


def test_a_line_says_what_happened_to_whom_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    log.bind(stage="local", request_id="r-1")
    log.info("points_consumed", customer_id="42", points=500)
    (line,) = logged(capsys)
    assert line["level"] == "INFO"
    assert line["message"] == "points_consumed"
    assert line["request_id"] == "r-1"
    assert (line["customer_id"], line["points"]) == ("42", 500)
    assert line["location"].startswith("test_a_line_says")


def test_fields_of_one_request_do_not_stay_for_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    log.bind(request_id="r-1", customer_id="42")
    log.bind(request_id="r-2")
    log.warning("slow")
    (line,) = logged(capsys)
    assert line["request_id"] == "r-2"
    assert "customer_id" not in line


@pytest.mark.parametrize(
    "name",
    [
        *("Authorization", "cookie", "session_token", "client_secret", "X-Shopify-Hmac-Sha256"),
        *("email", "phone", "discount_code"),
    ],
)
def test_a_field_whose_name_promises_a_secret_is_never_written(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.error("seen", headers={name: "hunter2"})
    (line,) = logged(capsys)
    assert line["headers"] == {name: log.REDACTED}


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "Bearer abc.def",
        "shpat_0123456789abcdef",
        "shpss_0123456789abcdef",
        "taro.yamada+points@example.co.jp",
        "session-eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "shpat_0.taro@example.co.jp",
    ],
)
def test_what_looks_like_a_secret_or_an_address_is_cut_out_of_every_text(
    secret: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        raise ValueError(f"cannot read {secret}!")
    except ValueError as error:
        log.exception(f"failed with {secret}", seen=[{"error": error}])
    output = capsys.readouterr().out
    assert secret not in output
    assert "cannot read [redacted]" in json.loads(output)["seen"][0]["error"]


@pytest.mark.parametrize("run", ["x", "-eyJ", "x@", "a.", "eyJ.", "Bearer", "shpat_", "\\t+"])
def test_a_text_of_any_length_is_cleaned_without_delay(run: str) -> None:
    text = run * (200_000 // len(run))
    begun = time.process_time()
    log.redacted(text)
    assert time.process_time() - begun < 0.5


def test_numbers_and_ids_are_written_as_they_are() -> None:
    fields = {"points": 0, "ratio": 0.5, "due": True, "entry_id": "8840734670934-17", "none": None}
    assert log.redacted(fields) == fields


def test_an_exception_is_written_with_its_stack_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    try:
        raise KeyError("lot")
    except KeyError:
        log.exception("request_failed")
    (line,) = logged(capsys)
    assert line["level"] == "ERROR"
    assert "Traceback" in line["exception"]
    assert line["exception_name"] == "KeyError"


def test_a_metric_is_the_line_that_powertools_would_write(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.bind(stage="dev")
    log.metric("TillMilliseconds", 312, "Milliseconds", Outcome="timeout")
    with single_metric(
        name="TillMilliseconds",
        unit=MetricUnit.Milliseconds,
        value=312,
        namespace=log.METRICS_NAMESPACE,
    ) as theirs:
        theirs.add_dimension("Stage", "dev")
        theirs.add_dimension("Outcome", "timeout")
    ours, expected = logged(capsys)
    written_later = expected["_aws"].pop("Timestamp") - ours["_aws"].pop("Timestamp")
    assert 0 <= written_later < 10_000
    assert ours == expected


def test_a_function_with_nothing_to_say_does_not_load_the_logger() -> None:
    program = (
        "import sys; from pointbook import log;"
        "log.metric('PointsConsumed', 5); print('aws_lambda_powertools' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": "layers/common/python"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines()[-1] == "False"
