import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointbook.errors import InvalidRequest, MalformedBody
from pointbook.validation import (
    json_object,
    json_value,
    optional_day,
    optional_instant,
    optional_text,
    shown,
    text,
    whole_number,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=10,
)


@given(json_values, st.booleans())
def test_every_well_formed_document_is_read_as_it_was_written(value: Any, as_ascii: bool) -> None:
    assert json_value(json.dumps(value, ensure_ascii=as_ascii).encode()) == value


@given(st.binary())
def test_bytes_are_read_or_refused_and_nothing_else_happens(raw: bytes) -> None:
    try:
        value = json_value(raw)
    except MalformedBody:
        return
    assert value == json.loads(raw.decode())


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":1}',
        b'[{"b":{"a":1,"a":2}}]',
        b"NaN",
        b"[-Infinity]",
        b'"\\ud83d"',
        b'{"\\udc00":1}',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b"{} {}",
        b"{'a':1}",
        b"1" * 5000,
    ],
)
def test_what_two_readers_could_understand_differently_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedBody):
        json_value(raw)


def test_an_escaped_pair_is_one_character() -> None:
    assert json_value(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize("raw", [b"[]", b"null", b"1", b'"{}"'])
def test_a_body_that_is_no_object_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedBody, match="object"):
        json_object(raw)


@given(st.integers(min_value=-5, max_value=120))
def test_a_number_and_its_text_are_the_same_within_the_range_and_refused_outside(n: int) -> None:
    for form in (n, str(n)):
        if 0 <= n <= 100:
            assert whole_number(form, "limit", 0, 100) == n
        else:
            with pytest.raises(InvalidRequest, match=r"limit is .*from 0 to 100"):
                whole_number(form, "limit", 0, 100)


@given(st.integers(min_value=-120, max_value=5))
def test_a_number_below_zero_may_be_a_text_too(n: int) -> None:
    assert whole_number(str(n), "points", -120, 5) == n


@pytest.mark.parametrize("form", ["-0", "-01", "--1", "- 1", "\u22121", "-"])
def test_a_number_below_zero_has_one_form(form: str) -> None:
    with pytest.raises(InvalidRequest):
        whole_number(form, "points", -120, 5)


@pytest.mark.parametrize("blank", ["", " ", "\u3000\n", "\u200b", "\ufeff \x00", "\u2060\u00ad"])
def test_a_text_in_which_nothing_is_to_be_seen_is_none(blank: str) -> None:
    assert optional_text(blank, "key", 9) is None
    with pytest.raises(InvalidRequest):
        text(blank, "reason", 9)


def test_a_text_is_returned_unchanged_and_counted_in_characters() -> None:
    assert text(" ポイント ", "reason", 6) == " ポイント "
    with pytest.raises(InvalidRequest):
        text(" ポイント ", "reason", 5)


def test_an_optional_text_that_is_there_must_be_good() -> None:
    assert optional_text("key", "key", 3) == "key"
    with pytest.raises(InvalidRequest):
        optional_text("keys", "key", 3)


@given(st.dates())
def test_a_day_is_read_in_one_form(day: date) -> None:
    assert optional_day(day.isoformat(), "day") == day


@pytest.mark.parametrize("nothing", [None, "", " "])
def test_a_day_may_be_left_out(nothing: object) -> None:
    assert optional_day(nothing, "day") is None


@pytest.mark.parametrize(
    "value",
    [
        "20261231",
        "2026-W53-4",
        "2026-02-30",
        "2026-1-1",
        "2026-12-31T00:00",
        "２０２６-12-31",
        20261231,
    ],
)
def test_what_is_no_day_or_written_in_another_form_is_refused(value: object) -> None:
    with pytest.raises(InvalidRequest, match="day is "):
        optional_day(value, "day")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "missing"),
        ("５", "'５'"),
        (1.5, "1.5"),
        (["secret"], "a list"),
        ({"secret": 1}, "an object"),
        (True, "true"),
        ("x" * 38, "'" + "x" * 38 + "'"),
        ("x" * 39, "'" + "x" * 35 + "...'"),
        (10**50, "1" + "0" * 36 + "..."),
    ],
)
def test_a_message_shows_the_value_that_was_wrong_and_stays_short(
    value: object, expected: str
) -> None:
    assert shown(value) == expected


def test_fractions_are_parsed_as_the_caller_says() -> None:
    raw = b'{"amount": 89.990, "large": 1e99999, "escaped": "\\u3042"}'
    assert json_value(raw, parse_float=str) == {
        "amount": "89.990",
        "large": "1e99999",
        "escaped": "\u3042",
    }
    assert json_value(raw, parse_float=Decimal)["amount"] == Decimal("89.990")


@pytest.mark.parametrize(
    "written",
    ["2026-11-28T09:00:00+09:00", "2026-11-28T09:00:00 09:00", "2026-11-28t00:00:00.000z"],
)
def test_an_instant_has_an_offset_whose_plus_a_query_may_have_lost(written: str) -> None:
    assert optional_instant(written, "at") == datetime(2026, 11, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        *("2026-11-28", "2026-11-28T09:00:00", "2026-11-28 09:00:00+09:00", "20261128T090000Z"),
        *("2026-13-01T00:00:00Z", "2026-11-28T09:00+09:00", "now", "２０２６-11-28T09:00:00Z"),
    ],
)
def test_what_is_no_instant_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(InvalidRequest, match="such as 2026-11-28T09:00:00"):
        optional_instant(written, "at")
