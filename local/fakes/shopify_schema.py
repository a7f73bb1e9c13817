"""The real Admin schema, with the fake's resolvers.

`make shopify-schema` fetches it from npm; it is never part of this repository. Building it takes
about half a second.
"""

import gzip
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_client_schema,
)

API_VERSION = "2026-10"
SCHEMA_FILE = (
    Path(__file__).resolve().parents[2]
    / f".local/shopify-schema/dist/data/admin_{API_VERSION}.json.gz"
)

type Resolver = Callable[..., object]

_DATE_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})", re.ASCII
)


def load_schema(file: Path) -> GraphQLSchema:
    """Build the schema from its introspection; FileNotFoundError says how to get the file."""
    if not file.exists():
        raise FileNotFoundError(f"{file} is missing: run 'make shopify-schema'")
    introspection = json.loads(gzip.decompress(file.read_bytes()))
    schema = build_client_schema(introspection["data"], assume_valid=True)
    _set_parser(schema, "DateTime", _date_time)
    _set_parser(schema, "Decimal", _decimal)
    return schema


def put_resolvers(
    schema: GraphQLSchema, queries: Mapping[str, Resolver], mutations: Mapping[str, Resolver]
) -> None:
    """Set the resolvers of these root fields; every other one raises an error."""
    for root, resolvers in (schema.query_type, queries), (schema.mutation_type, mutations):
        assert isinstance(root, GraphQLObjectType)
        assert not resolvers.keys() - root.fields.keys()
        for name, field in root.fields.items():
            field.resolve = resolvers.get(name, _not_implemented)


def read_date_time(text: str) -> datetime:
    """Return an aware datetime (UTC) from a DateTime that the schema has validated."""
    return datetime.fromisoformat(text).astimezone(UTC)


def write_date_time(time: datetime) -> str:
    """Return a DateTime as Shopify writes it, in whole seconds: `2026-11-21T12:00:00Z`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _not_implemented(_source: object, info: Any, **_arguments: object) -> object:
    raise GraphQLError(f"the fake does not answer {info.field_name}")


def _set_parser(schema: GraphQLSchema, name: str, parse: Callable[[object], object]) -> None:
    scalar = schema.type_map[name]
    assert isinstance(scalar, GraphQLScalarType)
    # The library documents that this attribute may be set: introspection carries no code.
    scalar.parse_value = parse  # type: ignore[method-assign, assignment]


def _date_time(value: object) -> object:
    """Validate and return unchanged, so that the log shows what was sent."""
    if not isinstance(value, str) or not _DATE_TIME.fullmatch(value):
        raise GraphQLError(f"{value!r} is not an ISO 8601 time with its zone")
    try:
        datetime.fromisoformat(value)
    except ValueError as error:
        raise GraphQLError(f"{value!r} is not a time: {error}") from error
    return value


def _decimal(value: object) -> object:
    """Validate and return unchanged."""
    try:
        if isinstance(value, str | int | float) and Decimal(str(value)).is_finite():
            return value
    except InvalidOperation:
        pass
    raise GraphQLError(f"{value!r} is not a decimal number")
