"""What is failing in a shop, and the command that heals it: `GET /v1/staff/status`.

Each part is read by itself, all at the same time, and has `SECONDS_EACH`; one that cannot be read
is a problem of its own, since nothing is known of it then.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from pointbook import log

SECONDS_EACH = 3.0
COUNT_MAX = 1_000

HELD_BACK_AFTER = timedelta(minutes=15)
"""A trigger or a push whose attempt has been due for so long is held back."""

NOT_COMPARED_AFTER = timedelta(days=2)
"""The nightly comparison of orders has missed a night by then, and most of another."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not heal by itself, or not soon.

    `subject` is which of its kind. `severity` is `error` where points are late or wrong until
    somebody acts, else `warning`. `command` is for an operator.
    """

    kind: str
    subject: str | None
    count: int
    since: str | None
    severity: str
    command: str


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is looked at: its problems, and what there is to say of it in any case."""

    problems: tuple[Problem, ...] = ()
    facts: Mapping[str, Any] | None = None


type Look = Callable[[], Part]


def shop_status(shop: str, looks: Mapping[str, Look], now: datetime, doctor: str) -> dict[str, Any]:
    """Return the body of the answer; `doctor` is the command for what cannot be read."""
    problems, facts = list[Problem](), dict[str, Any]()
    pool = ThreadPoolExecutor(max_workers=len(looks))
    running = {name: pool.submit(look) for name, look in looks.items()}
    wait(running.values(), timeout=SECONDS_EACH)
    pool.shutdown(wait=False)  # what is late goes on until its own time-out, and nobody looks
    for name, future in running.items():
        part = _result(name, future, doctor)
        problems += part.problems
        facts |= part.facts or {}
    problems.sort(key=lambda one: one.severity != "error")
    return {
        "shop": shop,
        "as_of": now.isoformat(timespec="milliseconds"),
        "problems": [asdict(one) for one in problems],
        "till": facts.get("till"),
        "imports": facts.get("imports"),
    }


def _result(name: str, future: Future[Part], doctor: str) -> Part:
    try:
        return future.result(timeout=0)
    except Exception as error:  # noqa: BLE001 -- whatever it is, the other parts are shown
        log.warning("status_unreadable", part=name, reason=repr(error))
        return Part((Problem("unreadable", name, 1, None, "warning", doctor),))


def dead_letters(
    count: Callable[[str], int], queues: Mapping[str, str], commands: Mapping[str, str]
) -> Part:
    """Messages that failed to the last attempt, by the worker whose they are."""
    found = ((name, count(url)) for name, url in queues.items())
    return Part(
        tuple(
            Problem("dead_letters", name, letters, None, "error", commands[name])
            for name, letters in found
            if letters
        )
    )


def held_back(kind: str, waiting: Iterator[str], command: str) -> Part:
    """Customers whose changes have been waiting for longer than they should."""
    count = sum(1 for _ in islice(waiting, COUNT_MAX))
    return Part((Problem(kind, None, count, None, "error", command),) if count else ())


def till(state: Mapping[str, Any], comparison: Mapping[str, Any], doctor: str, drift: str) -> Part:
    """How the till answers, and what the last comparison with it came to."""
    problems = list[Problem]()
    if state["state"] in ("open", "paused"):
        kind, count = state["kind"] or "throttled", max(1, state["failures"])
        problems.append(Problem("till_failing", kind, count, state["since"], "error", doctor))
    totals = comparison["totals"] or {}
    if totals.get("differing"):
        at = comparison["finished_at"]
        problems.append(Problem("till_drift", None, totals["differing"], at, "warning", drift))
    facts = {name: state[name] for name in ("state", "kind", "since", "last_success_at")}
    done = {
        "finished_at": comparison["finished_at"],
        "compared": totals.get("compared", 0),
        "differing": totals.get("differing", 0),
    }
    return Part(tuple(problems), {"till": facts | {"comparison": done if totals else None}})


def orders(since: datetime | None, left: int, now: datetime, command: str) -> Part:
    """Whether orders whose webhooks were lost are found and taken up."""
    problems = list[Problem]()
    if left:
        problems.append(Problem("orders_not_fed", None, left, None, "error", command))
    if since is not None and now - since > NOT_COMPARED_AFTER:
        at = since.isoformat(timespec="milliseconds")
        problems.append(Problem("orders_not_compared", None, 1, at, "warning", command))
    return Part(tuple(problems))


def statements(missing: list[str], differing: list[str], doctor: str, recompute: str) -> Part:
    """Whether the month's daily statements are on file, and close."""
    problems = list[Problem]()
    if missing:
        count = len(missing)
        problems.append(Problem("statements_missing", missing[0], count, None, "warning", doctor))
    if differing:
        day, count = differing[-1], len(differing)
        command = recompute.format(day=day)
        problems.append(Problem("statement_differs", day, count, None, "error", command))
    return Part(tuple(problems))


def imports(reports: list[dict[str, Any]], command: str) -> Part:
    """The latest runs of imports."""
    names = ("import_id", "run_id", "kind", "dry_run", "status", "rows", "rows_done")
    failed = [one for one in reports if one["status"] == "failed"]
    problems = tuple(
        Problem("import_failed", one["import_id"], 1, None, "warning", command) for one in failed
    )
    return Part(problems, {"imports": [{name: one[name] for name in names} for one in reports]})
