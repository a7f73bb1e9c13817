"""docs/openapi.yaml as a tree: references resolved, and the codes of errors collected."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).resolve().parent.parent / "docs" / "openapi.yaml"
METHODS = ("get", "post", "put", "patch", "delete", "options", "head")
COMBINED = ("allOf", "anyOf", "oneOf")

type Tree = dict[str, Any]


def read() -> Tree:
    """Return the description as it is written."""
    with FILE.open(encoding="utf-8") as file:
        loaded: Tree = yaml.load(file, yaml.CSafeLoader)
    return loaded


def referred(document: Mapping[str, Any], reference: str) -> Any:
    """Return what a reference such as `#/components/schemas/Hold` refers to."""
    found: Any = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def resolved(document: Mapping[str, Any], part: Any) -> Any:
    """Return the part with every reference replaced; nothing refers to itself."""
    if isinstance(part, dict):
        if "$ref" in part:
            found = resolved(document, referred(document, part["$ref"]))
            rest = {name: value for name, value in part.items() if name != "$ref"}
            return {**found, **resolved(document, rest)}
        return {name: resolved(document, value) for name, value in part.items()}
    return [resolved(document, one) for one in part] if isinstance(part, list) else part


def codes(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the codes that a resolved schema lists for the member `code` of a whole answer."""
    yield from schema.get("properties", {}).get("code", {}).get("enum", ())
    for word in COMBINED:
        for one in schema.get(word, ()):
            yield from codes(one)
