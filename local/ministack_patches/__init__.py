"""Patches for AWS behaviour that MiniStack 1.5.33 lacks, one module each, with `apply()`."""

import importlib
from types import ModuleType
from typing import Any


class PatchError(Exception):
    """A part of MiniStack that a patch replaces does not exist."""


def module(name: str) -> ModuleType:
    """Import `ministack.<name>`. Raises PatchError."""
    try:
        return importlib.import_module(f"ministack.{name}")
    except ImportError as error:
        raise PatchError(f"there is no ministack.{name}") from error


def part(owner: object, name: str) -> Any:
    """Return `owner.name`. Raises PatchError."""
    found = getattr(owner, name, None)
    if found is None:
        where = getattr(owner, "__name__", type(owner).__name__)
        raise PatchError(f"there is no {where}.{name}")
    return found


def replace(owner: object, name: str, new: object) -> None:
    """Replace `owner.name`, which must exist, with `new`. Raises PatchError."""
    part(owner, name)
    setattr(owner, name, new)
