"""The extensions with a screen are ones that Shopify takes, in both languages."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract import surface_rules
from tests.support import shopify_files

EXTENSIONS = shopify_files.SHOPIFY / "extensions"
SHARED = shopify_files.SHOPIFY / "shared"
SHARED_BY_STAFF = SHARED / "staff"
SECTION = EXTENSIONS / "points-section"
UI = [folder for folder in shopify_files.surface_files() if folder != SECTION.name]
STAFF = ["points-adjust", "points-home", "points-pos", "points-staff"]
CUSTOMERS = [folder for folder in UI if folder not in STAFF]

PURE = {
    "points-api.js",
    "points-hold-request.js",
    "points-numbers.js",
    "points-present.js",
}
"""The modules of web/ that touch no document: an extension of the account has none of its own."""


def locales(folder: Path, suffix: str = ".json") -> dict[str, dict[str, str]]:
    """The flattened texts of the locale files with this ending."""
    files = (folder / "locales").glob("*.json")
    return {
        path.name.removesuffix(suffix) + ".json": surface_rules.flattened(
            json.loads(path.read_text(encoding="utf-8"))
        )
        for path in files
        if path.name.endswith(suffix) and (".schema." in path.name) == (".schema." in suffix)
    }


def sources(folder: Path) -> dict[str, str]:
    """The scripts of a folder by their names."""
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.js*")}


def shared(folder: str) -> dict[str, str]:
    """The scripts of `shared/` that an extension may use."""
    return sources(SHARED_BY_STAFF if folder in STAFF else SHARED)


def test_there_is_a_page_blocks_a_checkout_and_a_section_and_what_staff_see() -> None:
    assert sorted(CUSTOMERS) == ["points-blocks", "points-checkout", "points-page"]
    assert set(STAFF) <= set(UI)
    assert SECTION.name in shopify_files.surface_files()


@pytest.mark.parametrize("folder", UI)
def test_a_ui_extension_keeps_shopifys_rules(folder: str) -> None:
    file = shopify_files.surface_files()[folder]
    assert list(surface_rules.toml_problems(file, folder)) == []


type Change = Callable[[dict[str, Any]], object]
PAGE = {"target": "customer-account.page.render", "module": "./src/Page.jsx"}


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.update(api_version="2026-10"),
        lambda file: file["extensions"].append({}),
        lambda file: file["extensions"][0].update(type="theme"),
        lambda file: file["extensions"][0].update(handle="another"),
        lambda file: file["extensions"][0].update(metafields=[]),
        lambda file: file["extensions"][0].update(name="x" * 31),
        lambda file: file["extensions"][0].update(targeting=[]),
        lambda file: file["extensions"][0]["targeting"].append(PAGE),
        lambda file: file["extensions"][0]["targeting"].append({"target": "pos.home.tile.render"}),
        lambda file: file["extensions"][0].pop("capabilities"),
        lambda file: file["extensions"][0]["capabilities"].update(api_access=True),
        lambda file: file["extensions"][0]["settings"]["fields"][0].update(type="url"),
        lambda file: file["extensions"][0]["settings"]["fields"][0].pop("name"),
        lambda file: file["extensions"][0]["settings"]["fields"][0].pop("key"),
    ],
)
def test_the_rules_see_in_a_file(change: Change) -> None:
    file = copy.deepcopy(shopify_files.surface_files()["points-blocks"])
    change(file)
    assert list(surface_rules.toml_problems(file, "points-blocks")) != []


@pytest.mark.parametrize("folder", UI)
def test_every_target_has_its_module_and_its_types(folder: str) -> None:
    types = (EXTENSIONS / folder / "shopify.d.ts").read_text(encoding="utf-8")
    for one in shopify_files.surface_files()[folder]["extensions"][0]["targeting"]:
        module = EXTENSIONS / folder / one["module"]
        assert "export default async function" in module.read_text(encoding="utf-8")
        assert f"'{one['module']}'" in types
        assert f"/{one['target']}'" in types


@pytest.mark.parametrize("folder", [*UI, SECTION.name])
def test_both_languages_say_the_same(folder: str) -> None:
    found = locales(EXTENSIONS / folder)
    assert sorted(found) == ["en.default.json", "ja.json"]
    assert list(surface_rules.locale_problems(found)) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"en.json": {"a": "A"}},
        {"en.default.json": {"a": "A"}, "ja.default.json": {"a": "あ"}},
        {"en.default.json": {}, "ja.json": {}},
        {"en.default.json": {"a": "A"}, "ja.json": {"b": "あ"}},
        {"en.default.json": {"a": "A"}, "ja.json": {"a": " "}},
        {"en.default.json": {"a": "{{points}}"}, "ja.json": {"a": "{{day}}"}},
    ],
)
def test_the_rules_see_in_texts(broken: dict[str, dict[str, str]]) -> None:
    assert list(surface_rules.locale_problems(broken)) != []


@pytest.mark.parametrize("folder", UI)
def test_every_text_that_is_asked_for_is_there_and_no_other(folder: str) -> None:
    scripts = [*sources(EXTENSIONS / folder / "src").values(), *shared(folder).values()]
    asked = {key for script in scripts for key in surface_rules.translated_keys(script)}
    assert asked == set(locales(EXTENSIONS / folder)["en.default.json"])


@pytest.mark.parametrize("folder", UI)
def test_only_shopifys_elements_are_drawn(folder: str) -> None:
    scripts = sources(EXTENSIONS / folder / "src") | shared(folder)
    for name, script in scripts.items():
        if name.endswith(".jsx"):
            assert surface_rules.foreign_tags(script) == set(), name


def test_the_rules_see_a_foreign_element() -> None:
    assert surface_rules.foreign_tags('<s-text>a</s-text><div class="x">b</div>') == {"div"}


def test_the_extensions_share_the_pages_modules_that_touch_no_document() -> None:
    scripts = {**sources(SHARED)}
    section = scripts.pop("section.js")
    for folder in CUSTOMERS:
        scripts |= sources(EXTENSIONS / folder / "src")
    imported = {
        name
        for script in scripts.values()
        for name in re.findall(r'from "[./]*/web/([\w.-]+)"', script)
    }
    assert imported == PURE
    assert 'from "../../web/points.js"' in section, "the section is the page itself"


def test_the_packages_are_pinned_and_those_of_the_api_version() -> None:
    package = json.loads((shopify_files.SHOPIFY / "package.json").read_text(encoding="utf-8"))
    pinned = package["dependencies"] | package["devDependencies"]
    assert [name for name, at in pinned.items() if not re.fullmatch(r"[\d.]+", at)] == []
    year, month = map(int, surface_rules.API_VERSION.split("-"))
    for name in ("@shopify/ui-extensions", "@shopify/ui-extensions-tester"):
        assert pinned[name].startswith(f"{year}.{month}.")
    lock = json.loads((shopify_files.SHOPIFY / "package-lock.json").read_text(encoding="utf-8"))
    locked = lock["packages"][""]
    assert locked["dependencies"] | locked["devDependencies"] == pinned


# --- the theme's section --------------------------------------------------------------------------


def liquid() -> str:
    return (SECTION / "blocks" / "points.liquid").read_text(encoding="utf-8")


def schema() -> dict[str, Any]:
    found = re.search(r"{% schema %}(.*){% endschema %}", liquid(), re.DOTALL)
    assert found is not None
    content: dict[str, Any] = json.loads(found[1])
    return content


def test_the_section_has_only_what_shopify_takes() -> None:
    assert list(surface_rules.theme_problems(SECTION)) == []


def test_the_rules_see_in_a_theme_folder(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "section.js").write_text("")
    assert list(surface_rules.theme_problems(tmp_path)) == ["src/section.js has no place there"]


def test_the_section_asks_through_the_apps_proxy() -> None:
    proxy = shopify_files.app()["app_proxy"]
    path = f"/{proxy['prefix']}/{proxy['subpath']}"
    defaults = {one["id"]: one.get("default") for one in schema()["settings"]}
    assert defaults == {"proxy_path": path, "contact_url": None}
    assert f"default: '{path}'" in liquid()


def test_the_sections_texts_are_there_in_both_languages() -> None:
    shown = set(re.findall(r"'([a-z_.]+)' \| t\b", liquid()))
    assert shown == set(locales(SECTION)["en.default.json"])
    names = set(re.findall(r'"t:([a-z_.]+)"', liquid()))
    editor = locales(SECTION, ".schema.json")
    assert sorted(editor) == ["en.default.json", "ja.json"]
    assert list(surface_rules.locale_problems(editor)) == []
    assert names == set(editor["en.default.json"])


def test_whatever_the_section_writes_into_the_page_is_escaped_or_ours() -> None:
    written = re.findall(r"{{(.*?)}}", liquid())
    for value in written:
        is_ours = value.strip() in {
            "language",
            "block.shopify_attributes",
            "routes.account_login_url",
        }
        assert is_ours or value.strip().endswith(("| escape", "| t")), value


# --- the guides -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["my-page-in-shopify.md", "my-page-in-shopify.ja.md"])
def test_the_guides_name_every_extension_and_lead_to_what_is_there(name: str) -> None:
    guide = shopify_files.ROOT / "docs" / name
    content = guide.read_text(encoding="utf-8")
    assert [folder for folder in [*CUSTOMERS, SECTION.name] if folder not in content] == []
    links = re.findall(r"\]\(([^)#]*)(?:#[^)]*)?\)", content)
    for link in links:
        if link and not link.startswith("https://"):
            assert (guide.parent / link).exists(), link


def test_the_guide_names_the_extensions_as_the_editor_shows_them() -> None:
    guide = (shopify_files.ROOT / "docs" / "my-page-in-shopify.md").read_text(encoding="utf-8")
    names = [shopify_files.surface_files()[folder]["extensions"][0]["name"] for folder in CUSTOMERS]
    assert [name for name in names if f"*{name}*" not in guide and f"› {name}*" not in guide] == []
    assert "shopify/shared/address.js" in guide
