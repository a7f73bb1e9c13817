"""What is in shopify/, read as the files stand."""

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SHOPIFY = ROOT / "shopify"

type Toml = dict[str, Any]


def app() -> Toml:
    """shopify.app.toml."""
    return tomllib.loads((SHOPIFY / "shopify.app.toml").read_text(encoding="utf-8"))


def extension_files() -> dict[str, Toml]:
    """The file of each extension of Shopify Flow by its folder's name."""
    return {
        folder: file
        for folder, file in _all_files().items()
        if file.get("extensions", [{}])[0].get("type", "").startswith("flow_")
    }


def surface_files() -> dict[str, Toml]:
    """The file of each extension with a screen, by its folder's name."""
    return {
        folder: file for folder, file in _all_files().items() if folder not in extension_files()
    }


def _all_files() -> dict[str, Toml]:
    files = sorted(SHOPIFY.glob("extensions/*/shopify.extension.toml"))
    return {file.parent.name: tomllib.loads(file.read_text(encoding="utf-8")) for file in files}


def extension(handle: str) -> Toml:
    """The one extension in the file of this folder."""
    (declared,) = extension_files()[handle]["extensions"]
    return declared


def fields(handle: str) -> list[Toml]:
    """The settings fields of an extension, in their order."""
    return extension_files()[handle].get("settings", {}).get("fields", [])


def of_type(kind: str) -> list[str]:
    """The handles of the extensions of a type."""
    return [handle for handle in extension_files() if extension(handle)["type"] == kind]


def return_schema(handle: str) -> str:
    """The SDL of an action's return value."""
    return (SHOPIFY / "extensions" / handle / extension(handle)["schema"]).read_text("utf-8")
