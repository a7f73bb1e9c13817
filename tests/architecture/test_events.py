"""The sample events are what the tool writes: nobody edits one by hand and is overwritten."""

import json

from tools import make_events

NO_JSON = ("base64_body", "not_json", "not_post")


def test_the_sample_events_are_those_that_the_tool_writes() -> None:
    assert make_events.differences() == []


def test_no_two_cases_share_a_file() -> None:
    names = [(function, name) for function, name, _ in make_events.cases()]
    assert len(names) == len(set(names))


def test_samples_of_flow_share_a_run_only_if_they_request_the_same() -> None:
    """So they can be tried in turn on a running stack."""
    requests_by_run: dict[str, set[str]] = {}
    for function, name, event in make_events.cases():
        if function.startswith("flow_action_") and name not in NO_JSON:
            body = json.loads(event["body"])
            request = json.dumps([body["handle"], body["properties"]])
            requests_by_run.setdefault(body["action_run_id"], set()).add(request)
    assert all(len(request) == 1 for request in requests_by_run.values())
    assert len(requests_by_run) > 30
