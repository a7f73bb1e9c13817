"""The house rules that no linter knows: one name in four places, small files, quiet imports."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
import yaml

from pointbook.domain import commands
from pointbook.domain.account import Account, HoldRecord
from pointbook.domain.orders import Order
from pointbook.ledger.instruction import Instruction

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ROOT / "functions"
EVENTS = ROOT / "events"
LAYER = ROOT / "layers" / "common" / "python"
PACKAGE = LAYER / "pointbook"

HANDLER_LINES_MAX = 80
MODULE_LINES_MAX = 400

SLOW_TO_LOAD: dict[str, set[str]] = {
    "aws_lambda_powertools": {"customer_events", "import_rows", "order_events", "privacy_events"},
    "boto3": set(),
    "pointbook.domain.privacy": {"customer_events", "privacy_watch", "verify_sample"},
    "pointbook.page": {
        *("app_page", "create_hold", "get_points", "points_history", "staff_create_hold"),
        "staff_programme",
    },
    "pointbook.page.texts": {"points_history"},
    "pointbook.services.my_page": {"points_history"},
    "pointbook.shopify.admin": {"create_hold", "reconcile_orders", "staff_create_hold"},
    "pointbook.till": {"compare_till", "refresh_till"},
    "pydantic": set(),
    "requests": set(),
}
"""Modules that lengthen a cold start, and the functions that load them when they start."""


class _Template(yaml.SafeLoader):
    """Reads template.yaml and takes !Ref and its kin as plain values."""


def _plain(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Template.add_multi_constructor("!", _plain)


def function_names() -> list[str]:
    """Return the folders of functions/, each of which is one Lambda function."""
    return sorted(
        path.name for path in FUNCTIONS.iterdir() if path.is_dir() and path.name != "__pycache__"
    )


def function_resources() -> dict[str, str]:
    """Return the logical id of each function in template.yaml and the folder it is built from."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    resources = yaml.load(text, Loader=_Template)["Resources"]  # noqa: S506 - a SafeLoader
    return {
        logical_id: resource["Properties"]["CodeUri"].strip("./")
        for logical_id, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def modules(package: Path) -> Iterator[str]:
    """Yield the dotted name of every module of a package."""
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_every_function_folder_is_a_resource_of_the_template_and_the_other_way_round() -> None:
    expected = {
        f"{name.title().replace('_', '')}Function": f"functions/{name}" for name in function_names()
    }
    assert expected
    assert function_resources() == expected


def test_a_function_is_one_file() -> None:
    """A sibling works in Lambda and breaks in tests, so what is shared lives in the layer."""
    strangers = {
        name: sorted(path.name for path in (FUNCTIONS / name).iterdir())
        for name in function_names()
        if {path.name for path in (FUNCTIONS / name).iterdir()} - {"__pycache__"} != {"app.py"}
    }
    assert strangers == {}


def test_every_function_has_sample_events_and_no_event_is_left_behind() -> None:
    folders = {path.name for path in EVENTS.iterdir() if path.is_dir()}
    assert folders == set(function_names())
    assert [name for name in sorted(folders) if not list((EVENTS / name).glob("*.json"))] == []


def test_every_sample_event_is_json_under_a_plain_name() -> None:
    for path in EVENTS.rglob("*.*"):
        assert re.fullmatch(r"[a-z0-9_]+\.json", path.name), path
        assert isinstance(json.loads(path.read_text(encoding="utf-8")), dict), path


def test_every_function_has_a_test_of_its_name() -> None:
    tests = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert [name for name in function_names() if f"test_{name}.py" not in tests] == []


def test_handlers_and_modules_stay_small_enough_to_be_read_whole() -> None:
    limits = [(path, HANDLER_LINES_MAX) for path in FUNCTIONS.rglob("*.py")]
    limits += [(path, MODULE_LINES_MAX) for path in PACKAGE.rglob("*.py")]
    too_long = [
        f"{path.relative_to(ROOT)} has {lines} lines, the limit is {limit}: split it"
        for path, limit in limits
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > limit
    ]
    assert too_long == []


def test_a_command_holds_ids_and_values_and_nothing_that_is_loaded() -> None:
    for command in (*commands.Command.__value__.__args__, Instruction):
        for name, kind in get_type_hints(command).items():
            loaded = {part for part in (Account, Order, HoldRecord, Callable) if _names(kind, part)}
            assert not loaded, f"{command.__name__}.{name} holds {loaded}"


def _names(kind: object, part: object) -> bool:
    """Whether a type is this one, or is made with it."""
    return part in (kind, get_origin(kind)) or any(_names(one, part) for one in get_args(kind))


@pytest.mark.parametrize("service", ["customers", "holds", "orders", "orphaned_codes", "my_page"])
def test_services_reach_accounts_orders_and_holds_through_the_ledger(service: str) -> None:
    text = (PACKAGE / "services" / f"{service}.py").read_text()
    found = re.search(r"\b(Store|StoreUnavailable|ReadRequest|DynamoStore)\b|\bWrite\(", text)
    assert found is None, f"{service} names {found}"


def test_every_folder_of_the_package_is_a_package() -> None:
    """The import rules do not see an import of a folder that has no __init__.py."""
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_tests_run_on_the_very_versions_that_the_layer_ships() -> None:
    shipped = _pins(LAYER / "requirements.txt")
    tested = _pins(ROOT / "requirements" / "dev.txt")
    assert shipped
    assert {name: tested.get(name) for name in shipped} == shipped


def test_the_layer_leaves_boto3_to_the_lambda_runtime() -> None:
    assert not {"boto3", "botocore"} & set(_pins(LAYER / "requirements.txt"))


def test_no_test_patches_a_private_name_or_clears_a_cache() -> None:
    """Fakes are parts of a container, which a test builds in one call."""
    tests = (ROOT / "tests").rglob("*.py")
    found = [
        f"{path.relative_to(ROOT)}: {deed}"
        for path in sorted(tests)
        for deed in private_patches(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "deed",
    [
        'monkeypatch.setattr(module, "_parts", {})',
        'patch.setattr("package.module._parts", {})',
        'setattr(module, "_parts", {})',
        'patch.delattr(module, "_parts")',
        "module.client.cache_clear()",
        "module._parts = {}",
        'module._parts["till"] = None',
    ],
)
def test_each_form_of_a_private_patch_is_found(deed: str) -> None:
    assert private_patches(deed) == [ast.unparse(ast.parse(deed))]


def private_patches(source: str) -> list[str]:
    """What a test does to private names of others, and caches that it clears."""
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Call) and _patches(node))
        or (isinstance(node, ast.Assign) and any(map(_is_private, node.targets)))
    ]


def _patches(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(attr="cache_clear"):
            return True
        case ast.Attribute(attr="setattr" | "delattr") | ast.Name(id="setattr" | "delattr"):
            texts = [one.value for one in call.args[:2] if isinstance(one, ast.Constant)]
            names = [text.rpartition(".")[2] for text in texts if isinstance(text, str)]
            return any(map(_is_private_name, names))
    return False


def _is_private(target: ast.expr) -> bool:
    """Whether this is a private attribute of something else than the object itself."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return (
        isinstance(target, ast.Attribute)
        and _is_private_name(target.attr)
        and not (isinstance(target.value, ast.Name) and target.value.id in ("self", "cls"))
    )


def _is_private_name(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def test_importing_the_package_loads_nothing_else() -> None:
    loaded = _python("import sys; import pointbook; print(*sys.modules)").split()
    strangers = {name.partition(".")[0] for name in loaded} - set(sys.stdlib_module_names)
    assert "pointbook" in loaded
    assert [name for name in loaded if name.startswith("pointbook.")] == []
    assert "boto3" not in strangers
    assert "pydantic" not in strangers


@pytest.mark.slow
@pytest.mark.parametrize("function", function_names())
def test_a_function_starts_without_modules_that_only_others_need(function: str) -> None:
    environment = {
        "STAGE": "local",
        "TABLE_NAME": "points",
        "SECRETS_NAME": "secret",
        "SHOP_DOMAIN": "demo.myshopify.com",
        "SHOPIFY_CLIENT_ID": "client",
    }
    folder = FUNCTIONS / function
    program = f"import os, sys; os.environ |= {environment}; sys.path.append({str(folder)!r})"
    loaded = set(_python(f"{program}; import app; print(*sys.modules)").split())
    allowed = {name for name, functions in SLOW_TO_LOAD.items() if function in functions}
    assert loaded & SLOW_TO_LOAD.keys() <= allowed


def test_importing_the_modules_reads_no_environment_and_starts_nothing() -> None:
    assert _python(IMPORT_UNDER_WATCH, *modules(PACKAGE)).splitlines() == []


@pytest.mark.parametrize(
    ("deed", "seen"),
    [
        ("os.environ['TABLE_NAME']", "pointbook.naughty reads TABLE_NAME"),
        ("os.environ.get('TABLE_NAME')", "pointbook.naughty reads TABLE_NAME"),
        ("os.getenv('TABLE_NAME')", "pointbook.naughty reads TABLE_NAME"),
        ("'TABLE_NAME' in os.environ", "pointbook.naughty reads TABLE_NAME"),
        (
            "threading.Thread(target=print).start()",
            "pointbook.naughty: _thread.start_joinable_thread",
        ),
        ("subprocess.run(['true'])", "pointbook.naughty: subprocess.Popen"),
        ("socket.getaddrinfo('127.0.0.1', 1)", "pointbook.naughty: socket.getaddrinfo"),
    ],
)
def test_the_watch_on_imports_sees(tmp_path: Path, deed: str, seen: str) -> None:
    package = tmp_path / "pointbook"
    package.mkdir()
    (package / "__init__.py").touch()
    imports = "import os, socket, subprocess, threading"
    (package / "naughty.py").write_text(f"{imports}\n{deed}\n", encoding="utf-8")
    report = _python(IMPORT_UNDER_WATCH, *modules(package), import_root=tmp_path)
    assert seen in report.splitlines()


# Imports the modules named and prints what their own code does meanwhile: which variables of the
# environment it reads and what it starts. Libraries may look at the environment for themselves.
IMPORT_UNDER_WATCH = """
import importlib, os, sys

class Watched(dict):
    def __getitem__(self, name):
        note(name)
        return super().__getitem__(name)

    def get(self, name, default=None):
        note(name)
        return super().get(name, default)

    def __contains__(self, name):
        note(name)
        return super().__contains__(name)

def note(name):
    frame = sys._getframe(2)
    while frame.f_globals["__name__"] == "os":
        frame = frame.f_back
    reader = frame.f_globals["__name__"]
    if reader.partition(".")[0] == "pointbook":
        print(f"{reader} reads {name}")

STARTS = {
    "_thread.start_joinable_thread",
    "_thread.start_new_thread",
    "socket.connect",
    "socket.getaddrinfo",
    "subprocess.Popen",
}
sys.addaudithook(lambda event, _: print(f"{module}: {event}") if event in STARTS else None)
os.environ = Watched(os.environ, TABLE_NAME="watched")
for module in sys.argv[1:]:
    importlib.import_module(module)
"""


def _pins(lock_file: Path) -> dict[str, str]:
    lines = lock_file.read_text(encoding="utf-8").splitlines()
    pins = [line.partition("==") for line in lines if not line.startswith("#")]
    return {name.lower().replace("_", "-"): version for name, _, version in pins}


def _python(program: str, *arguments: str, import_root: Path = LAYER) -> str:
    """Run a program in a fresh interpreter and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": str(import_root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
