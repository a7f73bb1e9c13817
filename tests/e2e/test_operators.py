"""Operators change points through the reverse proxy, signed, and by the commands for them."""

import json
from pathlib import Path

import pytest

from cli.app import main as cli_main
from local import demo
from local.stack import Stack
from tests.e2e.calls import adjust, approved, call, new_customer, operate


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer token"}])
def test_an_unsigned_request_is_refused(stack: Stack, headers: dict[str, str]) -> None:
    """Without a signature by the gateway; with one of another kind by the function itself."""
    customer = new_customer()
    content = {"shop": demo.SHOP_DOMAIN, "points": 200, "reason": "Mine"}
    url = f"{stack.api_url}/v1/operator/customers/{customer}/adjustments"
    headers |= {"Idempotency-Key": "k", "Content-Type": "application/json"}
    answer = call(url, json.dumps(content).encode(), headers)
    assert answer.status_code == 403, answer.text
    assert ("Forbidden" in answer.text) is ("Authorization" not in headers)
    assert approved(stack, customer) == 0


def test_points_added_and_removed_by_hand_show_on_my_page_once(stack: Stack) -> None:
    customer = new_customer()
    first = adjust(stack, customer, 200, "a")
    assert first.status_code == 201, first.text
    again = adjust(stack, customer, 200, "a")
    assert (again.json(), again.headers["Idempotent-Replay"]) == (first.json(), "true")
    refused = adjust(stack, customer, -201, "b")
    assert (refused.status_code, refused.json()["code"]) == (422, "insufficient_points")
    assert refused.json()["figures"]["approved"] == 200
    assert adjust(stack, customer, -150, "b").status_code == 201
    assert approved(stack, customer) == 50


def test_a_person_adjusts_by_command(
    stack: Stack, local_commands: None, capsys: pytest.CaptureFixture[str]
) -> None:
    customer = new_customer()
    command = ["adjust", customer, "--reason", "Sorry", "--key", "k"]
    for _ in range(2):
        assert cli_main([*command, "--points", "200"]) == 0
    assert "(already booked)" in capsys.readouterr().out
    assert cli_main([*command, "--points", "300"]) == 1
    assert "idempotency_mismatch" in capsys.readouterr().err
    assert approved(stack, customer) == 200


def test_a_file_is_taken_over_by_command_however_often_it_is_run_and_undone(
    stack: Stack,
    local_commands: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)  # where the commands list the rows to look at
    first, second = new_customer(), new_customer()
    file = tmp_path / "balances.csv"
    lines = [f"{first},Balance,5,2099-12-31,2025-04-01"] * 150
    lines += [f"gid://shopify/Customer/{second},残高,700,,", f"{second},Old,9,2020-12-31,"]
    header, import_id = "customer_id,title,point,expired_at,created_at", f"move-{first}"
    command = ["import", str(file), "--id", import_id]

    def said() -> list[list[str]]:
        return [line.split() for line in capsys.readouterr().out.splitlines()]

    file.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    assert cli_main([*command, "--dry-run"]) == 1
    assert ["to", "book", "151", "1,450", "0"] in said()
    assert (approved(stack, first), approved(stack, second)) == (0, 0)
    assert cli_main(command) == 1
    assert ["booked", "151", "1,450", "0"] in said()
    file.write_text("\n".join([header, *reversed(lines), ""]), encoding="utf-8")
    assert cli_main(command) == 1
    found = said()
    assert ["repeated", "151", "1,450", "0"] in found
    assert ["refused", "1", "9", "0"] in found
    (listed,) = (tmp_path / f"{import_id}.rows-to-look-at.csv").read_text().splitlines()[1:]
    assert listed.startswith(f"2,{second},9,9,day_past,")
    assert (approved(stack, first), approved(stack, second)) == (750, 700)

    assert adjust(stack, second, -100, "spent").status_code == 201
    assert cli_main(["undo", import_id, "--yes"]) == 1
    found = said()
    assert ["undone", "151", "1,350", "0"] in found
    assert ["not", "there", "any", "more", "1", "100", "0"] in found
    assert (approved(stack, first), approved(stack, second)) == (0, 0)


def test_a_row_is_answered_by_its_number(stack: Stack) -> None:
    customer = new_customer()
    rows = [
        {"row": 7, "customer_id": customer, "title": "Balance", "point": 500},
        {"row": 9, "customer_id": "Taro", "title": "Balance", "point": 500},
    ]
    answer = operate(stack, f"imports/move-{customer}", {"shop": demo.SHOP_DOMAIN, "rows": rows})
    assert [one["row"] for one in answer.json()["rows"]] == [7, 9]
    assert [one["status"] for one in answer.json()["rows"]] == ["booked", "refused"]
