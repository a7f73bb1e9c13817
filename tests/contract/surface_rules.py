"""Shopify's rules for extensions with a screen, where its command line tool is silent.

https://shopify.dev/docs/api/customer-account-ui-extensions (targets, configuration),
https://shopify.dev/docs/apps/build/online-store/theme-app-extensions, and the tool's own schemas.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

type Toml = dict[str, Any]

API_VERSION = "2026-07"

FULL_PAGE = "customer-account.page.render"
OF_STAFF = {
    "admin.app.home.render",
    "admin.customer-details.block.render",
    "admin.customer-details.action.render",
    "admin.order-details.block.render",
    "pos.home.tile.render",
    "pos.home.modal.render",
    "pos.customer-details.block.render",
    "pos.customer-details.action.render",
}
"""Targets of the admin and of POS, which may ask the app's own address without a capability."""

TARGETS = OF_STAFF | {
    FULL_PAGE,
    "customer-account.profile.block.render",
    "customer-account.order-status.block.render",
    "purchase.checkout.reductions.render-after",
}
"""Those of which `shopify/tests` has a test."""

_HANDLE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])?")
_SETTING_TYPES = {
    "boolean",
    "date",
    "date_time",
    "multi_line_text_field",
    "number_decimal",
    "number_integer",
    "single_line_text_field",
    "variant_reference",
}
_SETTINGS_MAX = 20
_MEMBERS = {"type", "name", "description", "handle", "targeting", "capabilities", "settings"}

THEME_FOLDERS = {
    "assets": {".js", ".css", ".json", ".svg", ".png", ".jpg", ".jpeg", ".wasm"},
    "blocks": {".liquid"},
    "snippets": {".liquid"},
    "locales": {".json"},
}
LIQUID_BYTES_MAX = 500_000
THEME_BYTES_MAX = 10_000_000

_TRANSLATED = re.compile(r"""\b(?:t|translate)\(\s*"([a-z_.]+)\"""")
_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_HTML_TAG = re.compile(r"(?<!\w)<([a-z][a-z0-9-]*)[\s/>]")


def toml_problems(file: Toml, folder: str) -> Iterator[str]:
    """What is wrong with the file of a UI extension, as sentences."""
    if file.get("api_version") != API_VERSION:
        yield f"api_version is not {API_VERSION}"
    if len(file.get("extensions", [])) != 1:
        yield "it is not one extension"
        return
    (extension,) = file["extensions"]
    yield from _member_problems(extension, folder)
    yield from _target_problems([one["target"] for one in extension.get("targeting", [])])
    yield from _setting_problems(extension.get("settings", {}).get("fields", []))


def _member_problems(extension: Toml, folder: str) -> Iterator[str]:
    if extension.get("type") != "ui_extension":
        yield "it is no ui_extension"
    if extension.get("handle") != folder or not _HANDLE.fullmatch(folder):
        yield "the handle is not that of the folder, or has a form that Shopify refuses"
    if extra := extension.keys() - _MEMBERS:
        yield f"unknown members {sorted(extra)}"
    if not 1 <= len(extension.get("name", "")) <= 30:
        yield "the name is missing or longer than 30 characters"
    targets = {one.get("target") for one in extension.get("targeting", [])}
    is_of_staff = bool(targets) and targets <= OF_STAFF
    if extension.get("capabilities") != (None if is_of_staff else {"network_access": True}):
        yield "it may do more or less than ask our API"


def _target_problems(targets: list[str]) -> Iterator[str]:
    if not targets or len(targets) != len(set(targets)):
        yield "no target, or one twice"
    if unknown := set(targets) - TARGETS:
        yield f"targets without a test: {sorted(unknown)}"
    if FULL_PAGE in targets and len(targets) > 1:
        yield "a full page beside other targets"
    if len({target.partition(".")[0] for target in targets}) > 1:
        yield "targets of more than one surface"


def _setting_problems(fields: list[Toml]) -> Iterator[str]:
    if len(fields) > _SETTINGS_MAX:
        yield "too many settings"
    keys = [field.get("key", "") for field in fields]
    if len(keys) != len(set(keys)) or not all(
        re.fullmatch("[a-z][a-z_]{0,63}", key) for key in keys
    ):
        yield "a setting's key is missing, there twice or of a wrong form"
    for field in fields:
        if field.get("type") not in _SETTING_TYPES:
            yield f"a setting of the type {field.get('type')}"
        if not field.get("name"):
            yield "a setting without a name"


def locale_problems(locales: dict[str, dict[str, str]]) -> Iterator[str]:
    """What is wrong with the flattened texts by file name, such as `en.default.json`."""
    defaults = [name for name in locales if name.endswith(".default.json")]
    if len(defaults) != 1:
        yield "not exactly one default language"
        return
    texts = locales[defaults[0]]
    for name, others in locales.items():
        if not others:
            yield f"{name} is empty"
        if others.keys() != texts.keys():
            yield f"{name} has other keys than the default"
        for key in others.keys() & texts.keys():
            if not others[key].strip():
                yield f"{name}: {key} is blank"
            if set(_PLACEHOLDER.findall(others[key])) != set(_PLACEHOLDER.findall(texts[key])):
                yield f"{name}: {key} has other placeholders"


def flattened(texts: dict[str, Any], above: str = "") -> dict[str, str]:
    """The texts of a locale file by their whole keys."""
    found: dict[str, str] = {}
    for name, value in texts.items():
        if isinstance(value, dict):
            found |= flattened(value, f"{above}{name}.")
        else:
            found[above + name] = value
    return found


def translated_keys(source: str) -> set[str]:
    """The keys that a script asks translations for."""
    return set(_TRANSLATED.findall(source))


def foreign_tags(source: str) -> set[str]:
    """Elements of a JSX source that Shopify's host does not draw."""
    return {tag for tag in _HTML_TAG.findall(source) if not tag.startswith("s-")}


def theme_problems(folder: Path) -> Iterator[str]:
    """What Shopify refuses in a theme's extension."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        inside = path.relative_to(folder).parts
        if inside == ("shopify.extension.toml",):
            continue
        if len(inside) != 2 or path.suffix not in THEME_FOLDERS.get(inside[0], set()):
            yield f"{'/'.join(inside)} has no place there"
    if sum(path.stat().st_size for path in files) > THEME_BYTES_MAX:
        yield "it is too large"
    if sum(path.stat().st_size for path in files if path.suffix == ".liquid") > LIQUID_BYTES_MAX:
        yield "its Liquid is too large"
