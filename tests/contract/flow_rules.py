"""Shopify's rules for Flow extensions, written down from its references and its command line tool.

https://shopify.dev/docs/apps/build/flow/actions/reference, .../triggers/reference and
.../configure-complex-data-types. Shopify publishes no limits for names and descriptions: those
below are ours, what the workflow editor shows without cutting.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLError,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    TypeNode,
    parse,
)

type Toml = dict[str, Any]

_HANDLE = re.compile(r"[A-Za-z0-9-]{1,30}")
_TRIGGER_KEY = re.compile(r"[a-zA-Z\s]+")
_ACTION_KEY = re.compile(r"[A-Za-z0-9_-]+")
_URL = re.compile(r"(https://[^\s/]+(/[^\s]*)?|/([^\s/][^\s]*)?)")
_PUNCTUATION = re.compile(r"[^\w\s]")

_REFERENCES = frozenset({"customer", "order", "product", "company", "company_contact"})
_TYPES = {
    "flow_action": {
        "boolean",
        "email",
        "multi_line_text_field",
        "number_decimal",
        "number_integer",
        "single_line_text_field",
        "url",
    },
    "flow_trigger": {"boolean", "email", "number_decimal", "single_line_text_field", "url"},
}
_MORE_REFERENCES = {
    "flow_action": {"marketing_activity", "abandonment"},
    "flow_trigger": set[str](),
}
_MEMBERS = {
    "flow_action": {"runtime_url", "schema", "return_type_ref"},
    "flow_trigger": set[str](),
    "flow_trigger_lifecycle_callback": {"url"},
}
_REFERENCE_MEMBERS = {"type", "required", "description"}
_FIELD_MEMBERS = {
    "flow_action": _REFERENCE_MEMBERS | {"key", "name"},
    "flow_trigger": {"type", "key", "description"},
}
_SCALARS = frozenset({"String", "Int", "Float", "Boolean", "ID"})

NAME_LENGTH_MAX = 50
DESCRIPTION_LENGTH_MAX = 255


def problems(file: Toml) -> list[str]:
    """What Shopify, or the person at the editor, would have against an extension's file."""
    found = [*_of_extension(file["extensions"][0])]
    kind = file["extensions"][0]["type"]
    if kind in _TYPES:
        found += _of_fields(kind, file.get("settings", {}).get("fields", []))
    return found


def schema_problems(sdl: str, return_type: str) -> list[str]:
    """What Flow would have against the schema of an action's return value."""
    try:
        document = parse(sdl)
    except GraphQLError as error:
        return [f"no SDL: {error.message}"]
    return list(_of_schema(document, return_type))


def _of_extension(extension: Toml) -> Iterator[str]:
    kind, handle = extension["type"], extension["handle"]
    if kind not in _MEMBERS:
        yield f"unknown type {kind}"
        return
    if not _HANDLE.fullmatch(handle):
        yield f"handle {handle!r}"
    allowed = {"type", "handle", "name", "description"} | _MEMBERS[kind]
    yield from (f"unknown member {name}" for name in extension.keys() - allowed)
    name = extension["name"]
    if not 1 <= len(name) <= NAME_LENGTH_MAX or _PUNCTUATION.search(name):
        yield f"name {name!r}"
    yield from _of_description(extension)
    for member in ("runtime_url", "url"):
        if member in _MEMBERS[kind] and not _URL.fullmatch(extension.get(member, "")):
            yield f"{member} {extension.get(member)!r}"
    if ("schema" in extension) != ("return_type_ref" in extension):
        yield "schema and return_type_ref come together or not at all"


def _of_fields(kind: str, fields: list[Toml]) -> Iterator[str]:
    for field in fields:
        reference = field["type"].removesuffix("_reference")
        if reference != field["type"]:
            yield from _of_reference(kind, reference, field)
        else:
            yield from _of_custom(kind, field)
        yield from _of_description(field)
    names = Counter(field.get("key", field["type"]) for field in fields)
    yield from (f"{name} twice" for name, times in names.items() if times > 1)


def _of_reference(kind: str, reference: str, field: Toml) -> Iterator[str]:
    if reference not in _REFERENCES | _MORE_REFERENCES[kind]:
        yield f"{field['type']} in a {kind}"
    yield from (f"unknown member {name}" for name in field.keys() - _REFERENCE_MEMBERS)


def _of_custom(kind: str, field: Toml) -> Iterator[str]:
    if field["type"] not in _TYPES[kind]:
        yield f"{field['type']} in a {kind}"
    key = field.get("key", "")
    if not (_TRIGGER_KEY if kind == "flow_trigger" else _ACTION_KEY).fullmatch(key):
        yield f"key {key!r}"
    if kind == "flow_action" and not 1 <= len(field.get("name", "")) <= NAME_LENGTH_MAX:
        yield f"name of {key!r}"
    yield from (f"unknown member {name}" for name in field.keys() - _FIELD_MEMBERS[kind])


def _of_description(declared: Toml) -> Iterator[str]:
    if len(declared.get("description", "")) > DESCRIPTION_LENGTH_MAX:
        yield f"description {declared['description']!r}"


def _of_schema(document: DocumentNode, return_type: str) -> Iterator[str]:
    allowed = ObjectTypeDefinitionNode | EnumTypeDefinitionNode
    declared = {
        node.name.value for node in document.definitions if isinstance(node, allowed)
    } | _SCALARS
    if return_type not in declared:
        yield f"{return_type} is not declared"
    for node in document.definitions:
        if not isinstance(node, allowed):
            yield f"{node.kind} is not supported"
        elif node.directives:
            yield f"directives on {node.name.value}"
        elif isinstance(node, ObjectTypeDefinitionNode):
            yield from (problem for field in node.fields for problem in _of_field(field, declared))


def _of_field(field: FieldDefinitionNode, declared: set[str]) -> Iterator[str]:
    if field.directives or field.arguments:
        yield f"directives or arguments on {field.name.value}"
    named: TypeNode = field.type
    while isinstance(named, NonNullTypeNode | ListTypeNode):
        named = named.type
    assert isinstance(named, NamedTypeNode)
    if named.name.value not in declared:
        yield f"{field.name.value} is of the unknown type {named.name.value}"
