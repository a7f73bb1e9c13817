"""The places of all values within a body of JSON."""

import copy
from collections.abc import Iterator
from typing import Any

type Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """The way to every value within `value`."""
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, name)
            yield from places(inner, (*path, name))


def at(body: Any, path: Path) -> Any:
    """The value at the end of `path`."""
    for step in path:
        body = body[step]
    return body


def put(body: Any, path: Path, value: object) -> Any:
    """A copy of `body` with `value` at the end of `path`."""
    changed = copy.deepcopy(body)
    at(changed, path[:-1])[path[-1]] = value
    return changed
