"""The cost of a query, by Shopify's published weights, as far as they are published.

An object costs 1, a scalar or an enumeration nothing, a connection 2 and its nodes as many times as
`first` says (https://shopify.dev/docs/api/usage/limits, "Calculated query costs"). A list that
takes no `first` counts once. What Shopify really asks stands in the answer of the real shop.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    SelectionSetNode,
    get_argument_values,
    get_named_type,
    is_leaf_type,
)

COST_MAX = 1_000
"""The most that one query may cost."""

_PAGED = frozenset({"nodes", "edges"})

type _Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType


def cost_of(
    schema: GraphQLSchema, parent: GraphQLObjectType, field: FieldNode, values: Mapping[str, Any]
) -> int:
    """Return what a field and all that is selected below it cost."""
    return _cost(schema, parent, field, dict(values))


def _cost(
    schema: GraphQLSchema, parent: _Composite, field: FieldNode, values: dict[str, Any]
) -> int:
    name = field.name.value
    if name.startswith("__") or isinstance(parent, GraphQLUnionType):
        return 0
    definition = parent.fields[name]
    kind = get_named_type(definition.type)
    if is_leaf_type(kind) or field.selection_set is None:
        return 0
    below = _selected(schema, kind, field.selection_set, values)
    times = get_argument_values(definition, field, values).get("first")
    if kind.name.endswith("Connection"):
        return 2 + (times or 1) * below
    if name in _PAGED or kind.name == "PageInfo":
        return below + (name in _PAGED)
    return (times or 1) * (1 + below)


def _selected(
    schema: GraphQLSchema, parent: Any, selections: SelectionSetNode, values: dict[str, Any]
) -> int:
    total = 0
    for one in selections.selections:
        if isinstance(one, FieldNode):
            total += _cost(schema, parent, one, values)
        elif isinstance(one, InlineFragmentNode):
            assert one.type_condition is not None, "a fragment without a type is not understood"
            narrowed = schema.type_map[one.type_condition.name.value]
            total += _selected(schema, narrowed, one.selection_set, values)
    return total
