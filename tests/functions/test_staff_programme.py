"""Managers of the shop read the programme and preview a change; nothing is written."""

import json
from typing import Any

from tests.support.harness import Functions, event, problem

FUNCTION = "staff_programme"


def preview(functions: Functions, **content: Any) -> dict[str, Any]:
    request = event(FUNCTION, "preview") | {"body": json.dumps(content)}
    answer = functions.request(FUNCTION, request)
    assert answer.status == 200, answer.text
    return dict(answer.body)


def test_every_rule_is_shown_in_a_group_with_its_name_in_both_languages(
    functions: Functions,
) -> None:
    english = functions.sample(FUNCTION, "rules").body
    japanese = functions.sample(FUNCTION, "in_japanese").body
    names = {rule["rule"]: rule["name"] for group in english["groups"] for rule in group["rules"]}
    assert "points_per_unit" in names
    assert "staff_manage" in names
    for group in japanese["groups"]:
        for rule in group["rules"]:
            assert rule["name"] != names[rule["rule"]]
            assert rule["meaning"]


def test_a_change_is_shown_by_what_an_order_earns_before_and_after(functions: Functions) -> None:
    rules = {"points_per_unit": "2", "pending_days": 14}
    found = preview(functions, rules=rules, order={"amount": "10000"})
    assert [one["rule"] for one in found["changes"]] == ["points_per_unit", "pending_days"]
    order = found["order"]
    assert (order["before"]["points"], order["after"]["points"]) == (100, 200)
    assert order["before"]["comes_on"] < order["after"]["comes_on"]
    assert found["file"] == 'points_per_unit = "2"\npending_days = "14"\n'
    assert found["command"] == "pointbook programme change rules.toml"


def test_a_change_with_errors_names_them_and_has_no_command(functions: Functions) -> None:
    found = preview(functions, rules={"points_per_unit": "many", "nosuch": "1"})
    assert {one["rule"] for one in found["errors"]} == {"points_per_unit", "nosuch"}
    assert (found["changes"], found["order"], found["command"]) == ([], None, None)


def test_no_difference_is_no_change(functions: Functions) -> None:
    found = preview(functions, rules={})
    assert (found["changes"], found["file"], found["command"]) == ([], None, None)


def test_cents_are_understood_and_parts_of_a_yen_are_not(functions: Functions) -> None:
    request = event(FUNCTION, "preview")
    for amount in ("99.5", -1, True, None, "much", 10**12):
        content = {"rules": {}, "order": {"amount": amount}}
        answer = functions.request(FUNCTION, request | {"body": json.dumps(content)})
        assert problem(answer) == (422, "invalid_request"), amount
    dollars = Functions(PROGRAMME_CURRENCY="USD")
    found = preview(dollars, rules={}, order={"amount": 99.5})
    assert found["order"]["amount_minor"] == 9950
