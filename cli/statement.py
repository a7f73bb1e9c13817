"""A shop's statement: opening, granted, used, expired, ..., closing; and the month's journal.

    pointbook statement --env prod                        yesterday's
    pointbook statement --month 2026-11 --env prod        a month's
    pointbook statement --month 2026-11 --report november.html --language ja    to read and print
    pointbook statement --month 2026-11 --journal journal.csv --booked-as advance

Days that are over are read from the files that write_statements has made; --recompute computes them
from the ledger. What each figure means: docs/books.md. Exit status 1 if anything does not meet.
"""

import csv
import io
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import target
from cli.books import UNITS_PER_SECOND, Books, Day, Found, Rate, Recompute, Worth
from cli.books_report import report
from cli.books_words import Language, Words, number, signed
from cli.files import unwritten
from cli.options import Env, Json, Shop, writable
from cli.output import Output, counted
from pointbook.domain.books.journal import Line, Practice, journal
from pointbook.domain.books.movements import available
from pointbook.domain.buckets import Balances
from pointbook.domain.money import decimal_text

_BOM = "\ufeff"
"""Without it spreadsheets take Japanese for another encoding."""

NAMED_MAX = 20
"""Customers whom the words name; the JSON document has all."""

LanguageOption = Annotated[
    Language, typer.Option("--language", help="Of the report, the journal and its accounts.")
]


def run(
    day: Day = None,
    month: Annotated[str | None, typer.Option(help="A month, such as 2026-11.")] = None,
    report_file: Annotated[
        Path | None,
        typer.Option(
            "--report", callback=writable, help="Write an HTML page with charts to this file."
        ),
    ] = None,
    csv_file: Annotated[
        Path | None,
        typer.Option("--csv", callback=writable, help="Write each day's movements to this file."),
    ] = None,
    journal_file: Annotated[
        Path | None,
        typer.Option("--journal", callback=writable, help="Write the journal to this CSV file."),
    ] = None,
    booked_as: Annotated[
        Practice, typer.Option(help="How points are booked; see docs/books.md.")
    ] = Practice.CONTRACT_LIABILITY,
    worth: Worth = None,
    language: LanguageOption = Language.EN,
    recompute: Recompute = False,
    rate: Rate = UNITS_PER_SECOND,
    shop: Shop = None,
    env: Env = None,
    json: Json = False,
) -> int:
    """Run the command. Raises CommandFailed, PointbookError."""
    if day and month:
        raise typer.BadParameter("Give --day or --month.")
    stack, out = target.target_of(env), Output(as_json=json)
    books = Books(stack, stack.shop(shop), rate, out)
    period = books.month(month) if month else books.day(day)
    value = books.worth(worth)
    found, words = books.find(period, recompute=recompute), Words(language)
    lines = journal(found.file.statement, booked_as, value)
    _say(found, lines, words, out)
    if report_file is not None:
        _write(report_file, report(found, lines, value, words), out)
    if csv_file is not None:
        _write(csv_file, _BOM + found.file.csv(), out)
    if journal_file is not None:
        _write(journal_file, _BOM + journal_csv(found, lines, words), out)
    out.document(document(found, lines, booked_as, value))
    return int(not found.is_right)


def journal_csv(found: Found, lines: list[Line], words: Words) -> str:
    """The journal as CSV: one line for each kind of movement, dated the period's last day."""
    out, file = io.StringIO(), found.file
    writer = csv.writer(out, lineterminator="\r\n")
    english = ("date", "debit account", "debit amount", "credit account", "credit amount")
    japanese = ("日付", "借方科目", "借方金額", "貸方科目", "貸方金額")
    heads = zip((*english, "points", "description"), (*japanese, "ポイント数", "摘要"), strict=True)
    writer.writerow([words.of(*head) for head in heads])
    about = words.of("Points", "ポイント")
    for line in lines:
        amount = decimal_text(line.amount_minor, file.currency)
        debit, credit = words.account(line.debit), words.account(line.credit)
        text = f"{about}: {words.movement(line.movement)} ({file.shop})"
        writer.writerow([file.period.last, debit, amount, credit, amount, line.points, text])
    return out.getvalue()


def document(found: Found, lines: list[Line], practice: Practice, worth: Decimal) -> dict[str, Any]:
    """The JSON document."""
    file, statement = found.file, found.file.statement
    return {
        "shop": file.shop,
        "first": file.period.first.isoformat(),
        "last": file.period.last.isoformat(),
        "time_zone": file.period.time_zone,
        "source": found.source,
        "is_over": found.is_over,
        "accounts": statement.accounts,
        "entries": statement.entries,
        "opening": statement.opening._asdict(),
        "movements": [
            {"movement": kind, **asdict(moved), "changes": moved.changes._asdict()}
            for kind, moved in statement.movements.items()
        ],
        "closing": statement.closing._asdict(),
        "difference": statement.difference._asdict(),
        "lots_difference": statement.lots_difference,
        "unreadable": statement.unreadable,
        "changed_days": [day.isoformat() for day in found.changed],
        "disagreeing_customers": list(found.disagreeing),
        "is_closed": found.is_right,
        "journal": {
            "booked_as": practice,
            "currency": file.currency,
            "worth_minor": str(worth),
            "lines": [asdict(line) for line in lines],
        },
    }


def _say(found: Found, lines: list[Line], words: Words, out: Output) -> None:
    file, statement = found.file, found.file.statement
    days = words.period(file.period.first, file.period.last)
    still = "" if found.is_over else words.of(" (so far)", "（途中）")
    out.say(f"{file.shop}, {days}{still}, {file.period.time_zone}", "")
    heads = ("", "entries", "available", "held", "outstanding", "pending", "of earlier days")
    rows: list[tuple[object, ...]] = [_balances(words.of("opening", "期首"), statement.opening)]
    for kind, moved in statement.movements.items():
        changes = [signed(one) for one in _shown(moved.changes)]
        earlier = number(moved.earlier_points) if moved.earlier_entries else ""
        rows.append((words.movement(kind), number(moved.entries), *changes, earlier))
    rows.append(_balances(words.of("closing", "期末"), statement.closing))
    out.table(heads, rows)
    out.say("")
    if lines:
        table = [
            (
                words.account(line.debit),
                words.account(line.credit),
                words.money(line.amount_minor, file.currency),
                words.movement(line.movement),
            )
            for line in lines
        ]
        out.table((words.of("debit", "借方"), words.of("credit", "貸方"), "amount", ""), table)
        out.say("")
    out.say(*_verdict(found))


def _verdict(found: Found) -> list[str]:
    statement = found.file.statement
    accounts = counted(statement.accounts, "account")
    entries = counted(statement.entries, "entry", "entries")
    of = f"{accounts}, {entries}; from the {found.source}."
    if found.is_right:
        return [f"Closes: the accounts are what the entries add up to. {of}"]
    differences = {name: n for name, n in statement.difference._asdict().items() if n}
    what = [f"DOES NOT CLOSE. {of}"]
    if differences:
        listed = ", ".join(f"{name} {signed(n)}" for name, n in differences.items())
        what.append(f"The accounts differ from the entries: {listed}.")
    if statement.lots_difference:
        what.append(f"Lots differ from approved and held points: {statement.lots_difference:+,}.")
    if statement.unreadable:
        what.append(f"Accounts that cannot be read: {statement.unreadable:,}.")
    if found.changed:
        days = ", ".join(day.isoformat() for day in found.changed)
        what.append(f"Days that do not begin where the day before ended: {days}.")
    if found.disagreeing:
        ids = ", ".join(found.disagreeing[:NAMED_MAX])
        more = len(found.disagreeing) - NAMED_MAX
        rest = f" and {more:,} more" if more > 0 else ""
        what.append(f"Accounts that are not what their entries add up to: {ids}{rest}.")
    return [*what, "What to do: run pointbook verify, which names the accounts."]


def _balances(name: str, balances: Balances) -> tuple[object, ...]:
    return (name, "", *(number(one) for one in _shown(balances)), "")


def _shown(balances: Balances) -> tuple[int, int, int, int]:
    return balances.approved, balances.hold, available(balances), balances.pending


def _write(file: Path, content: str, out: Output) -> None:
    try:
        file.write_text(content, encoding="utf-8", newline="")
    except OSError as error:
        raise unwritten(file, error) from error
    out.say(f"{file}: written")
