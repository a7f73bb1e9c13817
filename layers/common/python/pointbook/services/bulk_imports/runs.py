"""Runs of an import: what one is, where its files are, and the messages that carry it on."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Protocol, Self

from pointbook.errors import InvalidRequest, MalformedBody
from pointbook.services.imports import read_import_id
from pointbook.validation import shown

QUEUE = "import_rows"

PLAN = "import/plan"
PART = "import/part"
"""The topics of a run's messages."""

FILE = "file.csv"
UNREADABLE_PART = 0
"""The number of the part that has the rows that could not be read; the others begin with 1."""

_FOLDER = "imports"
_UNDONE = "undone"
_RUN_ID = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9a-f]{8}")


class Files(Protocol):
    """The imports' bucket. Every method raises Unavailable while it cannot be reached."""

    def put(self, key: str, content: bytes) -> None:
        """Write a file, over an earlier one of the same key."""
        ...

    def get(self, key: str) -> bytes | None:
        """Return a file's content, None if there is no such file."""
        ...

    def exists(self, key: str) -> bool:
        """Return whether there is such a file."""
        ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with `prefix`, in order."""
        ...


class Kind(StrEnum):
    """What a run does with the rows."""

    IMPORT = "import"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Run:
    """One start of an import, or of its undoing. A `dry_run` writes nothing to the ledger.

    `actor` is the operator whom the entries name. Run ids sort by the time at which they were made.
    """

    shop: str
    import_id: str
    run_id: str
    kind: Kind
    dry_run: bool
    actor: str

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Self:
        """Return the run that a file or a message names. Raises MalformedBody."""
        try:
            names = {name: members[name] for name in ("shop", "import_id", "run_id", "actor")}
            return cls(**names, kind=Kind(members["kind"]), dry_run=bool(members["dry_run"]))
        except (KeyError, ValueError) as error:
            raise MalformedBody(f"The run of an import lacks {error}.") from error

    def as_json(self) -> dict[str, Any]:
        """Return its fields, as files and messages have them."""
        return asdict(self)

    def key(self, name: str) -> str:
        """Return the key of one of its files."""
        return f"{folder_of(self.shop, self.import_id)}{self.run_id}/{name}"

    def part_key(self, part: int) -> str:
        """Return the key of the rows of a part."""
        return self.key(f"parts/{part:05d}.jsonl")

    def done_key(self, part: int) -> str:
        """Return the key of what became of a part's rows."""
        return self.key(f"done/{part:05d}.json")

    @property
    def undone_key(self) -> str:
        """The key of the mark that its import is, or is being, undone."""
        return f"{folder_of(self.shop, self.import_id)}{_UNDONE}"


def folder_of(shop: str, import_id: str) -> str:
    """Return the beginning of all keys of an import."""
    return f"{_FOLDER}/{shop}/{import_id}/"


def read_run_id(value: object) -> str:
    """Return a run's id. Raises InvalidRequest unless it has the form that commands make."""
    if not isinstance(value, str) or not _RUN_ID.fullmatch(value):
        raise InvalidRequest(
            "run_id",
            f"run_id is {shown(value)}, but must be a time and eight hex digits, such as "
            "20261130T090000-1a2b3c4d.",
        )
    return value


def runs_of(files: Files, shop: str, import_id: str) -> list[Run]:
    """Return the runs of an import that were started, the oldest first."""
    prefix = folder_of(shop, read_import_id(import_id))
    found = []
    for run_id in _run_ids(files, prefix):
        content = files.get(f"{prefix}{run_id}/run.json")
        if content is not None:
            found.append(Run.from_json(json.loads(content)))
    return found


def latest_runs(files: Files, shop: str, count: int) -> list[Run]:
    """Return the runs of a shop that were started last, whatever they import, the newest first."""
    prefix = f"{_FOLDER}/{shop}/"
    found = set[tuple[str, str]]()
    for key in files.keys(prefix):
        import_id, _, rest = key.removeprefix(prefix).partition("/")
        run_id = rest.partition("/")[0]
        if _RUN_ID.fullmatch(run_id):
            found.add((run_id, import_id))
    newest = sorted(found, reverse=True)[:count]
    contents = [files.get(f"{prefix}{import_id}/{run_id}/run.json") for run_id, import_id in newest]
    return [Run.from_json(json.loads(content)) for content in contents if content is not None]


def imports_of(files: Files, shop: str, import_id: str) -> list[Run]:
    """Return the runs that may have booked rows of an import, the oldest first."""
    runs = runs_of(files, shop, import_id)
    return [run for run in runs if run.kind is Kind.IMPORT and not run.dry_run]


def _run_ids(files: Files, prefix: str) -> list[str]:
    names = {key.removeprefix(prefix).partition("/")[0] for key in files.keys(prefix)}
    return sorted(name for name in names if _RUN_ID.fullmatch(name))


def json_bytes(value: object) -> bytes:
    """Return a value as the files have it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
