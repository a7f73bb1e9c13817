"""A shop's statement: opening, granted, used, expired, ..., closing; and the month's journal.

    pointbook statement --env prod                        yesterday's
    pointbook statement --month 2026-11 --env prod        a month's
    pointbook statement --month 2026-11 --report november.html --language ja
    pointbook statement --month 2026-11 --journal journal.csv

Days that are over are read from the files that write_statements has made; --recompute computes them
from the ledger. A month that lasts still ends with its last day that is over. What each figure
means: docs/books.md. Exit status 1 if anything does not meet.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import target
from cli.books import FILES, LEDGER, UNITS_PER_SECOND, Books, Day, Found, Rate, Recompute, Worth
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
        _write(report_file, report(found, lines, value, words), words, out)
    if csv_file is not None:
        _write(csv_file, _BOM + found.file.csv(is_over=found.is_over), words, out)
    if journal_file is not None:
        _write(journal_file, _BOM + journal_csv(found, lines, words), words, out)
    out.document(document(found, lines, booked_as, value))
    return int(not found.is_right)


def journal_csv(found: Found, lines: list[Line], words: Words) -> str:
    """The journal as CSV: one line for each kind of movement, dated the statement's last day."""
    out, file = io.StringIO(), found.file
    writer = csv.writer(out, lineterminator="\r\n")
    english = ("date", "debit account", "debit amount", "credit account", "credit amount")
    japanese = ("日付", "借方科目", "借方金額", "貸方科目", "貸方金額")
    heads = zip((*english, "points", "description"), (*japanese, "ポイント数", "摘要"), strict=True)
    writer.writerow([words.of(*head) for head in heads])
    about, so_far = words.of("Points", "ポイント"), words.so_far(is_over=found.is_over)
    for line in lines:
        amount = decimal_text(line.amount_minor, file.currency)
        debit, credit = words.account(line.debit), words.account(line.credit)
        text = f"{about}: {words.movement(line.movement)} ({file.shop}){so_far}"
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
    file, statement, of = found.file, found.file.statement, words.of
    days = words.period(file.period.first, file.period.last)
    days += words.so_far(is_over=found.is_over)
    out.say(f"{file.shop}, {days}, {file.period.time_zone}", "")
    heads = (
        "",
        of("entries", "件数"),
        of("available", "利用可能"),
        of("held", "確保中"),
        of("outstanding", "残高"),
        of("pending", "付与予定"),
        of("earlier", "前日以前分"),
    )
    rows: list[tuple[object, ...]] = [_balances(of("opening", "期首"), statement.opening)]
    for kind, moved in statement.movements.items():
        changes = [signed(one) for one in _shown(moved.changes)]
        earlier = number(moved.earlier_points) if moved.earlier_entries else ""
        rows.append((words.movement(kind), number(moved.entries), *changes, earlier))
    rows.append(_balances(of("closing", "期末"), statement.closing))
    out.table(heads, rows)
    out.say("")
    if lines:
        _say_journal(lines, file.currency, words, out)
    out.say(*_verdict(found, words))


def _say_journal(lines: list[Line], currency: str, words: Words, out: Output) -> None:
    rows = [
        (
            words.account(line.debit),
            words.account(line.credit),
            words.money(line.amount_minor, currency),
            words.movement(line.movement),
        )
        for line in lines
    ]
    heads = (("debit", "借方"), ("credit", "貸方"), ("amount", "金額"), ("for", "摘要"))
    out.table([words.of(*head) for head in heads], rows)
    out.say("")


def _verdict(found: Found, words: Words) -> list[str]:
    statement, of = found.file.statement, words.of
    where = of(found.source, {FILES: "日次報告ファイル", LEDGER: "台帳"}[found.source])
    accounts = counted(statement.accounts, "account")
    entries = counted(statement.entries, "entry", "entries")
    about = of(
        f"{accounts}, {entries}; from the {where}.",
        f"口座{statement.accounts:,}件、明細{statement.entries:,}件（{where}より）",
    )
    if found.is_right:
        closes = of(
            "Closes: the accounts are what the entries add up to. ",
            "一致：口座の残高は明細の合計と一致しています。",
        )
        return [f"{closes}{about}"]
    return [
        f"{of('DOES NOT CLOSE. ', '不一致があります。')}{about}",
        *_differences(found, words),
        of(
            "What to do: run pointbook verify, which names the accounts.",
            "pointbook verify を実行すると、該当する口座が表示されます。",
        ),
    ]


def _differences(found: Found, words: Words) -> Iterator[str]:
    statement, of = found.file.statement, words.of
    differences = {name: n for name, n in statement.difference._asdict().items() if n}
    if differences:
        listed = ", ".join(f"{words.bucket(one)} {signed(n)}" for one, n in differences.items())
        yield of(f"The accounts differ from the entries: {listed}.", f"口座と明細の差異：{listed}")
    if lots := statement.lots_difference:
        yield of(
            f"Lots differ from approved and held points: {lots:+,}.",
            f"有効なポイントと残高の差異：{lots:+,}",
        )
    if unreadable := statement.unreadable:
        yield of(
            f"Accounts that cannot be read: {unreadable:,}.", f"読み取れない口座：{unreadable:,}件"
        )
    if found.changed:
        days = ", ".join(day.isoformat() for day in found.changed)
        yield of(
            f"Days that do not begin where the day before ended: {days}.",
            f"前日の期末残高と期首残高が一致しない日：{days}",
        )
    if found.disagreeing:
        ids = ", ".join(found.disagreeing[:NAMED_MAX])
        more = len(found.disagreeing) - NAMED_MAX
        rest = of(f" and {more:,} more", f" ほか{more:,}件") if more > 0 else ""
        yield of(
            f"Accounts that are not what their entries add up to: {ids}{rest}.",
            f"明細の合計と一致しない口座：{ids}{rest}",
        )


def _balances(name: str, balances: Balances) -> tuple[object, ...]:
    return (name, "", *(number(one) for one in _shown(balances)), "")


def _shown(balances: Balances) -> tuple[int, int, int, int]:
    return balances.approved, balances.hold, available(balances), balances.pending


def _write(file: Path, content: str, words: Words, out: Output) -> None:
    try:
        file.write_text(content, encoding="utf-8", newline="")
    except OSError as error:
        raise unwritten(file, error) from error
    out.say(words.of(f"{file}: written", f"{file}：書き出しました"))
