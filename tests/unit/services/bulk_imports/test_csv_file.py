"""Files as spreadsheets and other systems write them: what is wrong is said with its line."""

from datetime import date

import pytest

from pointbook.services.bulk_imports.csv_file import COLUMNS, FileRefused
from pointbook.services.bulk_imports.plan import FileContent, read_file
from pointbook.services.bulk_imports.rows import Calendar

HEADER = ",".join(COLUMNS)
CALENDAR = Calendar("Asia/Tokyo", date(2026, 11, 30))
ID = "8840734670934"


def read(*rows: str, header: str = HEADER, end: str = "\n") -> FileContent:
    return read_file("\n".join([header, *rows]).encode() + end.encode(), CALENDAR)


def refused(content: bytes) -> str:
    with pytest.raises(FileRefused) as caught:
        read_file(content, CALENDAR)
    assert caught.value.code == "file_refused"
    return caught.value.message


def reason(row: str) -> str:
    """Why the second row of a file is refused; the first is booked."""
    found = read(f"{ID},Balance,1,,", row)
    assert [one.points for one in found.rows] == [1]
    (listed,) = found.unreadable.listed
    assert (listed["line"], listed["code"]) == (3, "invalid_request")
    return str(listed["message"])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf \r\n", "The file is empty."),
        (HEADER.encode("utf-16"), "The file is in UTF-16"),
        (HEADER.encode("utf-16-le"), "The file is in UTF-16"),
        (f"{HEADER}\n{ID},残高,5,,\n".encode("cp932"), "Line 2 is in Shift_JIS, not in UTF-8"),
        (f"{HEADER}\n\n{ID},Café,5,,\n".encode("latin-1"), "Line 3 is in another encoding"),
        (HEADER.replace(",", ";").encode(), "separated by semicolons"),
        (HEADER.replace(",", "\t").encode(), "separated by tabs"),
        (HEADER.replace("c", "C").encode(), "in small letters"),
        (b"customer_id,title,points,expired_at,created_at\n", "point missing; 'points' unknown"),
        (f"{ID},Balance,5,,\n".encode(), "The first line must be customer_id,title,point"),
        (f'{HEADER}\n{ID},"Balance,5,,\n1,a,5,,\n'.encode(), "quotation mark that is not closed"),
        (f'{HEADER}\n{ID},"Bal"ance,5,,\n'.encode(), "Line 2 cannot be read"),
        (f"{HEADER}\r{ID},Balance,5,,\r".encode(), "line ends that are neither LF nor CRLF"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(content: bytes, said: str) -> None:
    assert said in refused(content)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("8.84073E+12,Balance,5,,", "its last digits are lost"),
        ('"8,84073E+12",Balance,5,,', "its last digits are lost"),
        (f"000{ID},Balance,5,,", "Leave out the zeros in front."),
        (f"{ID}.0,Balance,5,,", "Leave out the decimals."),
        (f"'{ID},Balance,5,,", "Leave out the quotation mark"),
        (f'"=""{ID}""",Balance,5,,', "Leave out the quotation mark"),
        ('"8,840,734,670,934",Balance,5,,', "Leave out the separators."),
        (f" {ID},Balance,5,,", "Leave out the blanks"),
        ("８８４０７３,Balance,5,,", "Write the digits in half width."),
        (",Balance,5,,", "customer_id is ''"),
        ("taro@example.com,Balance,5,,", "must be a Shopify customer id"),
        (f'{ID},Balance,"1,250",,', "Leave out the separators."),
        (f"{ID},Balance,1 250,,", "Leave out the separators."),
        (f"{ID},Balance,1,250,,", "a field with a comma, such as 1,250"),
        (f"{ID},Balance,12.0,,", "Points are whole numbers."),
        (f'{ID},Balance,"12,5",,', "Points are whole numbers."),
        (f"{ID},Balance,1.2E+3,,", "A spreadsheet has shortened it."),
        (f"{ID},Balance,−300,,", "with a hyphen"),
        (f"{ID},Balance,(300),,", "with a hyphen"),
        (f"{ID},Balance,▲300,,", "with a hyphen"),
        (f"{ID},Balance,３００,,", "Write the digits in half width."),
        (f"{ID},Balance,0,,", "there is nothing to book"),
        (f"{ID},Balance,1000000001,,", "must be a whole number"),
        (f"{ID},Balance,,,", "point is ''"),
        (f"{ID},,5,,", "title is ''"),
        (f"{ID},{'x' * 256},5,,", "1 to 255 characters"),
        (f"{ID},Balance,5,2027/12/31,", "Write year-month-day"),
        (f"{ID},Balance,5,31.12.2027,", "Write year-month-day"),
        (f"{ID},Balance,5,46752,", "a spreadsheet's number of a day"),
        (f"{ID},Balance,5,2027-02-30,", "must be a day such as"),
        (f"{ID},Balance,5,,2025/4/1 0:00", "Write year-month-day"),
        (f"{ID},Balance,5,,45748", "a spreadsheet's number of a day"),
        (f"{ID},Balance,5,,yesterday", "must be a day or a time"),
        (f"{ID},Balance,5,,2026-12-02", "is in the future"),
        (f"{ID},Balance,-5,2027-12-31,", "leave expired_at empty"),
    ],
)
def test_a_row_that_a_spreadsheet_has_spoilt_is_refused_with_line_and_reason(
    row: str, said: str
) -> None:
    assert said in reason(row)


def test_a_file_that_was_cut_off_does_not_book_half_a_number() -> None:
    found = read(f"{ID},Balance,500,,", f"{ID},Balance,50", end="")
    assert [row.points for row in found.rows] == [500]
    (listed,) = found.unreadable.listed
    assert (listed["line"], listed["message"]) == (
        3,
        "The file ends in the middle of this row: it was cut off.",
    )


def test_trailing_fields_that_a_spreadsheet_leaves_out_are_empty() -> None:
    (row,) = read(f"{ID},Balance,500").rows
    assert (row.points, row.expires_on, row.created_at) == (500, None, "")


def test_a_byte_order_mark_other_columns_first_and_both_line_ends_are_fine() -> None:
    content = f"point,created_at,title,customer_id,expired_at\r\n5,,残高,{ID},2027-12-31\r\n"
    (row,) = read_file(b"\xef\xbb\xbf" + content.encode(), CALENDAR).rows
    assert (row.line, row.customer_id, row.title) == (2, ID, "残高")
    assert (row.points, row.expires_on) == (5, date(2027, 12, 31))


def test_empty_rows_are_counted_and_rounded_ids_are_pointed_out() -> None:
    found = read("8840730000000,Balance,5,,", "", ",,,,", " , ,,,", f"{ID},Balance,5,,")
    assert len(found.rows) == 2
    empty, rounded = found.hints()
    assert empty == "2 empty rows skipped."
    assert "1 row with a customer_id that ends in many zeros (line 2)" in rounded


@pytest.mark.parametrize(
    ("created_at", "day"),
    [
        ("2025-04-01", date(2025, 4, 1)),
        ("2025-04-01 23:59:59", date(2025, 4, 1)),
        ("2025-03-31T15:00:00Z", date(2025, 4, 1)),
        ("2025-04-01T00:00:00+09:00", date(2025, 4, 1)),
    ],
)
def test_the_original_day_is_a_day_in_the_shop(created_at: str, day: date) -> None:
    (row,) = read(f"{ID},Balance,5,,{created_at}").rows
    assert row.granted_on == day


def test_rows_have_the_same_names_however_the_file_is_sorted() -> None:
    rows = [f"{ID},A,5,,", f"{ID},A,5,,", f"{ID},B,5,,2025-04-01", "9,A,5,,", f"{ID},C,-3,,"]
    one, other = read(*rows), read(*reversed(rows))
    named = {(row.identity, row.points) for row in one.rows}
    assert named == {(row.identity, row.points) for row in other.rows}
    assert len({identity for identity, _ in named}) == 5
    assert [row.identity for row in one.rows] == [row.identity for row in other.rows]


def test_a_customers_rows_are_together_and_what_is_granted_comes_first() -> None:
    rows = [f"{customer},A,{points},," for points in (-5, 7) for customer in ("9", ID, "10")]
    found = [(row.customer_id, row.points) for row in read(*rows).rows]
    customers = list(dict.fromkeys(customer for customer, _ in found))
    assert found == [(customer, points) for customer in customers for points in (7, -5)]


def test_the_title_is_not_part_of_a_rows_name() -> None:
    (one,), (other,) = (read(f"{ID},{title},5,,").rows for title in ("Taro", "Hanako"))
    assert one.identity == other.identity
