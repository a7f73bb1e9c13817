"""`pointbook import`: a file is sent in chunks until each row has an outcome that is reported."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cli import imports, target
from cli.app import main
from cli.errors import CommandFailed
from cli.imports import COLUMNS, PAUSES_SECONDS, check, read, send_rows
from cli.operator_api import Answer
from cli.output import Output
from tests.fakes.operator_api import Api, a_target
from tests.support.commands import failure

HEADER = ",".join(COLUMNS)


def write(folder: Path, *lines: str, header: str = HEADER) -> Path:
    file = folder / "balances.csv"
    file.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return file


def rows(number: int) -> list[dict[str, Any]]:
    return [{"row": row, "line": row + 1, "point": "5"} for row in range(1, number + 1)]


def answered(chunk: list[dict[str, Any]], status: str = "booked", **more: Any) -> Answer:
    done = [{"row": row["row"], "status": status, "points": 5} | more for row in chunk]
    return Answer(200, {"rows": done})


class Server:
    """Answers each request with what the test says of it."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.sent: list[list[int]] = []
        self.slept: list[float] = []

    def send(self, chunk: list[dict[str, Any]]) -> Answer | None:
        self.sent.append([row["row"] for row in chunk])
        answer = self.answers.pop(0) if self.answers else answered
        return answer(chunk) if callable(answer) else answer

    def run(self, number: int) -> Counter[tuple[str, str]]:
        advance = lambda _: None  # noqa: E731
        return send_rows(iter(rows(number)), self.send, advance, Output(), self.slept.append)


def test_a_file_is_read_as_a_stream_of_numbered_rows(tmp_path: Path) -> None:
    file = write(tmp_path, '1,"a, ""b""",5,,2025-04-01', "", "2,Übertrag 残高,7,2026-12-31,")
    assert list(read(file)) == [
        dict(zip(("row", "line", *COLUMNS), values, strict=True)) | {"more": []}
        for values in (
            (1, 2, "1", 'a, "b"', "5", None, "2025-04-01"),
            (2, 4, "2", "Übertrag 残高", "7", "2026-12-31", None),
        )
    ]
    assert check(file).rows == 2


def test_columns_may_come_in_any_order_and_after_a_byte_order_mark(tmp_path: Path) -> None:
    file = write(tmp_path, ",1,2,3,4", header="\ufeff" + ",".join(reversed(COLUMNS)))
    (row,) = read(file)
    assert (row["customer_id"], row["created_at"]) == ("4", None)


@pytest.mark.parametrize("header", ["", "customer_id,title,point", HEADER + ",note"])
def test_a_file_with_other_columns_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(CommandFailed, match="the first line must be customer_id"):
        check(write(tmp_path, header=header))


def test_a_file_that_is_not_csv_in_utf_8_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, '1,"open')
    with pytest.raises(CommandFailed, match="cannot be read after line 1: unexpected end"):
        check(file)
    for encoding in ("shift_jis", "utf-16"):
        file.write_text(f"{HEADER}\n1,残高,5,,\n", encoding=encoding)
        with pytest.raises(CommandFailed, match=r"cannot be read: .*\. Save it as CSV UTF-8\.$"):
            check(file)
    with pytest.raises(CommandFailed, match="cannot be read"):
        check(tmp_path / "nowhere.csv")


def test_rows_that_do_not_fit_the_columns_are_listed_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    file = write(tmp_path, "1,a,5,,", "2,b,5,,,6", f"3,{'t' * 256},5,,")
    with pytest.raises(CommandFailed) as problem:
        check(file)
    said = str(problem.value)
    assert "Nothing was sent." in said
    assert "row 2 (line 3) has more fields" in said
    assert "row 3 (line 4): title has 256 characters" in said
    assert "row 1" not in said


def test_rows_are_sent_a_hundred_at_a_time_and_counted() -> None:
    server = Server(answered, lambda chunk: answered(chunk, "repeated"))
    assert server.run(250) == {
        ("booked", "rows"): 150,
        ("booked", "points"): 750,
        ("repeated", "rows"): 100,
        ("repeated", "points"): 500,
    }
    assert [(sent[0], sent[-1]) for sent in server.sent] == [(1, 100), (101, 200), (201, 250)]


def test_rows_not_done_are_sent_again_at_once_and_counted_once() -> None:
    def half(chunk: list[dict[str, Any]]) -> Answer:
        done, left = (
            answered(chunk[:60]).body["rows"],
            answered(chunk[60:], "not_done").body["rows"],
        )
        return Answer(200, {"rows": done + left})

    server = Server(half)
    assert server.run(100)["booked", "rows"] == 100
    assert [(sent[0], sent[-1]) for sent in server.sent] == [(1, 100), (61, 100)]
    assert server.slept == []


@pytest.mark.parametrize(
    "answer", [None, Answer(503, {}), Answer(429, {}), lambda chunk: answered(chunk, "not_done")]
)
def test_without_progress_it_backs_off_and_then_stops(answer: Any) -> None:
    server = Server(answer, answer)
    assert server.run(3)["booked", "rows"] == 3
    assert server.slept == [1, 2]
    server = Server(answered, *[answer] * 6)
    with pytest.raises(CommandFailed, match=r"Stopped at row 101 \(line 102\): no answer"):
        server.run(200)
    assert server.slept == list(PAUSES_SECONDS)


def test_a_refused_request_stops_with_the_apis_message() -> None:
    server = Server(answered, Answer(403, {"message": "Forbidden"}))
    with pytest.raises(CommandFailed, match=r"Stopped at row 101 \(line 102\)\. 403: Forbidden"):
        server.run(200)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    api = Api([answered(rows(2))])
    monkeypatch.setattr(imports, "post", api.post)
    monkeypatch.setattr(target, "target_of", lambda _: a_target())
    return api


def test_totals_are_printed_and_the_command_succeeds(
    api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, "1,a,5,,", "2,b,5,,")
    assert main(["import", str(file), "--id", "2026-11-move", "--dry-run"]) == 0
    ((path, content, _),) = api.sent
    assert path == "/v1/operator/imports/2026-11-move"
    assert (content["shop"], content["dry_run"]) == ("demo.myshopify.com", True)
    assert [tuple(row) for row in content["rows"]] == [("row", *COLUMNS)] * 2
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["to", "book", "2", "10"] in said
    assert said[-1] == ["file", "2", "10"]


def test_a_refused_row_is_printed_with_its_reason_and_the_command_fails(
    api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    api.answers = [answered(rows(1), "refused", code="day_past", message="2020-12-31 is past")]
    file = write(tmp_path, "", "1,a,5,2020-12-31,")
    assert main(["import", str(file), "--id", "move"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert "row 1 (line 3): day_past: 2020-12-31 is past" in said
    assert said[-1].split() == ["file", "1", "5"]


def test_refused_rows_without_valid_points_are_counted_below_the_total(
    api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = {"row": 2, "status": "refused", "points": 0, "code": "c", "message": "m"}
    api.answers = [Answer(200, {"rows": [*answered(rows(1)).body["rows"], refused]})]
    file = write(tmp_path, "1,a,5,,", '2,b,"1,000",,')
    assert main(["import", str(file), "--id", "move"]) == 1
    *_, sums, note = capsys.readouterr().out.splitlines()
    assert sums.split() == ["file", "2", "5"]
    assert note.endswith(
        "1 refused rows whose points are not a whole number from 1 to 1,000,000,000"
    )


def test_an_invalid_import_id_is_refused_before_anything_is_sent(api: Api, tmp_path: Path) -> None:
    assert "November move" in failure("import", str(write(tmp_path)), "--id", "November move")
    assert api.sent == []


@pytest.mark.parametrize("blanks", [[",,,,"] * 3, ["", ",,,,", " , ,,,"], [",,,,,,"] * 3, [""] * 3])
def test_empty_rows_are_skipped_and_counted_in_one_line(
    api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str], blanks: list[str]
) -> None:
    first, *more = blanks
    file = write(tmp_path, "1,a,5,,", first, "2,b,5,,", *more)
    api.answers = [answered(list(read(file)))]
    assert main(["import", str(file), "--id", "move", "--dry-run"]) == 0
    ((_, content, _),) = api.sent
    assert [row["customer_id"] for row in content["rows"]] == ["1", "2"]
    heading, hint, *_ = capsys.readouterr().out.splitlines()
    assert heading.endswith(f"move: 2 rows of {file}")
    assert hint == "3 empty rows skipped"


def test_rows_after_a_row_of_commas_keep_their_numbers(tmp_path: Path) -> None:
    file = write(tmp_path, "1,a,5,,", ",,,,", "", "2,b,5,,", "3,c,5,,")
    assert [(row["row"], row["line"]) for row in read(file)] == [(1, 2), (3, 5), (4, 6)]


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_ids_that_a_spreadsheet_may_have_rounded_are_reported_and_sent(
    api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str], dry_run: list[str]
) -> None:
    rounded = ("8840730000000", " gid://shopify/Customer/8840740000000 ", "8840730000000")
    file = write(tmp_path, "8840734670934,a,5,,", *(f"{one},b,5,," for one in rounded))
    api.answers = [answered(rows(4))]
    assert main(["import", str(file), "--id", "move", *dry_run]) == 0
    ((_, content, _),) = api.sent
    assert [row["customer_id"] for row in content["rows"]] == ["8840734670934", *rounded]
    (hint,) = [line for line in capsys.readouterr().out.splitlines() if "zeros" in line]
    assert hint == (
        "3 rows have a customer_id that ends in many zeros, such as 8840730000000 in row 2 (line"
        " 3): a spreadsheet may have rounded it. Compare it with the ids in the shop."
    )


@pytest.mark.parametrize(
    ("customer_id", "is_rounded"),
    [
        ("8840730000000", True),
        ("8840734600000", True),
        ("8840734670000", False),
        ("1200000", False),
        ("7000000000", True),
        ("12345000001", False),
        ("", False),
    ],
)
def test_an_ordinary_id_is_not_reported_as_rounded(
    tmp_path: Path, customer_id: str, *, is_rounded: bool
) -> None:
    checked = check(write(tmp_path, f"{customer_id},a,5,,"))
    assert [bool(checked.zero_filled), len(list(checked.hints()))] == [is_rounded, int(is_rounded)]


@pytest.mark.parametrize("customer_id", ["8.84073E+12", "8.84073e12", '"8,84073E+12"', " 9E+12 "])
def test_an_id_in_the_form_in_which_a_spreadsheet_shows_it_is_pointed_out(
    tmp_path: Path, customer_id: str
) -> None:
    checked = check(write(tmp_path, "8840734670934,a,5,,", f"{customer_id},a,5,,"))
    (hint,) = checked.hints()
    shown = customer_id.strip(' "')
    assert (
        f"1 row has a customer_id that a spreadsheet has rounded, such as {shown} in row 2" in hint
    )
    assert hint.endswith("will be refused. Export the file again with the column as text.")


@pytest.mark.parametrize("customer_id", ["E+12", "8.84073E+", "8840734670934E", "gid://a/8E+12b"])
def test_an_id_that_is_wrong_in_another_way_is_left_to_its_rows_refusal(
    tmp_path: Path, customer_id: str
) -> None:
    assert list(check(write(tmp_path, f"{customer_id},a,5,,")).hints()) == []


def test_a_clean_file_has_no_hints(tmp_path: Path) -> None:
    assert list(check(write(tmp_path, "8840734670934,a,5,,")).hints()) == []


def test_one_empty_row_is_singular(tmp_path: Path) -> None:
    assert list(check(write(tmp_path, "1,a,5,,", ",,,,")).hints()) == ["1 empty row skipped"]
