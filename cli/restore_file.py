"""The restoring of an export's file into an empty table, and the end of every restore."""

from collections import Counter
from itertools import islice
from pathlib import Path

from cli import verify
from cli.errors import CommandFailed
from cli.files import unread
from cli.output import Output, counted, is_confirmed
from cli.pause import Functions
from cli.target import Target
from pointbook.aws.metered import MeteredClient
from pointbook.clock import SystemClock
from pointbook.errors import PointbookError
from pointbook.store.export_format import ExportDamaged, ExportFile, kind_of
from pointbook.store.export_restore import ExportRestore, missing, superfluous
from pointbook.store.partition_checks import Key
from pointbook.store.table import Table
from pointbook.store.table_differences import TableDifferences

UNITS_PER_SECOND = 3_000.0
"""Nobody else uses the table meanwhile; a new table on demand takes at least 4,000 writes."""

_SHOWN_MAX = 5


class FileRestore:
    """One file, and the stack whose table it goes into."""

    def __init__(self, stack: Target, path: Path, rate: float, out: Output) -> None:
        """Read the first line. Raises CommandFailed."""
        self._stack = stack
        self._path = path
        self._rate = rate
        self._out = out
        self._file = _opened(path)
        self._check_header()
        clock = SystemClock()
        client = MeteredClient(stack.client("dynamodb"), clock, rate)
        table = Table(client, stack.settings.table_name)
        self._restore = ExportRestore(self._file, table, clock)

    def run(self, functions: Functions, *, dry_run: bool, yes: bool) -> int:
        """Check, confirm, stop, write, verify and start. Raises CommandFailed, PointbookError."""
        stack, out = self._stack, self._out
        with TableDifferences() as found:
            counts: dict[str, object] = {"written": self._compare(found)}
            if dry_run:
                out.say("Nothing has been changed.")
                out.document({"dry_run": True, **counts})
                return 0
            out.say(f"The functions of {stack.name} will be stopped until the table is restored.")
            if not yes and not is_confirmed(f"Put {self._path} into the table?"):
                out.say("Nothing has been changed.")
                return 1
            try:
                say_stopped(functions.stop(), out)
                self._write(found)
                reopened = len(self._restore.reopen_erasures(found))
                words = reopened_words(reopened)
                out.say(f"The table has everything that {self._path} has. {words}")
                document = {**counts, "erasures": reopened}
                return verify_and_start(stack, functions, self._rate, out, document)
            except (CommandFailed, PointbookError):
                out.say("The functions stay stopped: run it again, or with --start to give up.")
                raise

    def _check_header(self) -> None:
        header, served = self._file.header, self._stack.settings.shops
        if header.is_period:
            raise CommandFailed(
                f"{self._path} has entries of a period only, not whole accounts. Restore a file"
                " that was exported without --since and --until."
            )
        if other := sorted(set(header.shops) - set(served)):
            raise CommandFailed(
                f"{self._path} has points of {', '.join(other)}, but {self._stack.name} serves"
                f" {', '.join(served)}. Add the shop to ShopDomain, or export with --shop."
            )

    def _compare(self, found: TableDifferences) -> dict[str, int]:
        """Check the whole file, then the table; returns what is to be written."""
        try:
            with self._out.progress("lines checked") as advance:
                self._restore.load_file(found, advance)
        except ExportDamaged as error:
            raise _refused(self._path, error) from error
        self._load_table(found)
        counts = Counter(kind_of(sk) for _, sk in missing(found))
        if counts:
            self._out.table(("items", "to be written"), sorted(counts.items()))
        else:
            self._out.say("The table has everything already.")
        return dict(counts)

    def _write(self, found: TableDifferences) -> None:
        self._load_table(found)  # once more, now that nothing is written any more
        total = sum(1 for _ in missing(found))
        try:
            with self._out.progress("items written", total) as advance:
                self._restore.write(found, advance)
        except ExportDamaged as error:
            raise CommandFailed(f"{self._path} was changed meanwhile. {error}") from error
        self._load_table(found)
        if left := [*missing(found), *superfluous(found)]:
            raise CommandFailed(
                f"The table is still being written: {_words(left)}. Find who writes, then run this"
                " again."
            )

    def _load_table(self, found: TableDifferences) -> None:
        """Read the table. Raises CommandFailed if it has points that are not the file's."""
        with self._out.progress("items of the table compared") as advance:
            self._restore.load_table(found, advance)
        foreign = found.foreign()
        if some := list(islice(foreign, _SHOWN_MAX)):
            count = len(some) + sum(1 for _ in foreign)
            raise CommandFailed(
                f"The table of {self._stack.name} is not empty: it has {counted(count, 'item')}"
                f" that {self._path} does not have, or has otherwise, such as {_words(some)}. An"
                " export goes into a new stack's table only; a mistake in a living ledger is"
                " corrected by entries, or by --from-table."
            )


def verify_and_start(
    stack: Target, functions: Functions, rate: float, out: Output, document: dict[str, object]
) -> int:
    """Verify the whole table, and start the functions again if it has no fault."""
    verified, faults = verify.everything(stack, None, rate, out)
    verify.say(verified, faults, out)
    if faults:
        out.say(
            "There are faults, so the functions stay stopped. Once they are dealt with, start them:"
            " `pointbook restore --start`."
        )
    else:
        out.say(started_words(functions.start()))
    more = {"dry_run": False, "verified": verify.document(verified, faults)}
    out.document({**document, **more})
    return int(bool(faults))


def say_stopped(stopped: int, out: Output) -> None:
    """Say how many functions a restore has stopped."""
    out.say(f"Stopped {counted(stopped, 'function')}; nothing is written any more.")


def started_words(started: int) -> str:
    """How many functions were started again."""
    return f"Started {counted(started, 'function')} again."


def reopened_words(reopened: int) -> str:
    """How many erasures, carried out after the copy was made, are to be carried out once more."""
    return f"Opened {counted(reopened, 'erasure')} again that came after the copy."


def _opened(path: Path) -> ExportFile:
    try:
        return ExportFile(path)
    except OSError as error:
        raise unread(path, error) from error
    except ExportDamaged as error:
        raise _refused(path, error) from error


def _refused(path: Path, error: ExportDamaged) -> CommandFailed:
    return CommandFailed(f"{path} is refused, and nothing is written. {error}")


def _words(found: list[Key]) -> str:
    return ", ".join(" ".join(key) for key in found[:_SHOWN_MAX])
