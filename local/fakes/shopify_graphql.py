"""Runs GraphQL documents against the real Admin schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLResolveInfo,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_argument_values,
    get_operation_ast,
    get_variable_values,
    parse,
    validate,
)

from local.fakes.customers import Customer, Customers, number_of
from local.fakes.discounts import Discounts, Refused
from local.fakes.flow_triggers import Triggers
from local.fakes.metafields import Metafields
from local.fakes.orders import BadQuery, Orders, connection
from local.fakes.query_cost import COST_MAX, cost_of
from local.fakes.shopify_schema import load_schema, put_resolvers

_MUTATION_COST = 10
_CHEAP_COST = 1
_READ_BY_PAGES = frozenset({"order", "orders", "refund"})
"""Root fields whose cost depends on what is asked of them."""

_BUCKET = {"maximumAvailable": 2000, "currentlyAvailable": 2000, "restoreRate": 100}


TILL_METAFIELD = ("omni_hub", "point_used")


@dataclass(frozen=True, slots=True)
class Shop:
    """One shop: its settings, discounts, customers, and the triggers that its Flow accepted.

    `webhook_metafields` are those that the app has subscribed to, by namespace and key: the till's,
    as by `shopify/orders-with-till-points.graphql`.
    """

    domain: str
    discounts: Discounts
    triggers: Triggers
    currency: str = "JPY"
    time_zone: str = "Asia/Tokyo"
    customers: Customers = field(default_factory=Customers)
    orders: Orders = field(default_factory=Orders)
    metafields: Metafields = field(default_factory=Metafields)
    webhook_metafields: list[tuple[str, str]] = field(default_factory=lambda: [TILL_METAFIELD])


@dataclass(frozen=True, slots=True)
class Context:
    """The context of one request's resolvers.

    `forgotten` is the number of a customer who does not exist.
    """

    shop: Shop
    now: datetime
    forgotten: str | None
    other_shops: tuple[Shop, ...] = ()


@dataclass(frozen=True, slots=True)
class RootField:
    """The one root field of a document, with its arguments resolved."""

    name: str
    arguments: Mapping[str, Any]
    cost: int


class AdminApi:
    """The Admin schema and the fake's resolvers."""

    def __init__(self, schema_file: Path) -> None:
        self._schema = load_schema(schema_file)
        put_resolvers(
            self._schema,
            queries={
                "codeDiscountNode": _code_discount_node,
                "codeDiscountNodeByCode": _code_discount_node_by_code,
                "customer": _customer,
                "customers": _customers,
                "order": _order,
                "orders": _orders,
                "refund": _refund,
                "shop": _shop,
                "webhookSubscriptions": _webhook_subscriptions,
            },
            mutations={
                "discountCodeBasicCreate": _discount_code_basic_create,
                "discountCodeDeactivate": _discount_code_deactivate,
                "discountCodeDelete": _discount_code_delete,
                "flowTriggerReceive": _flow_trigger_receive,
                "metafieldsDelete": _metafields_delete,
                "metafieldsSet": _metafields_set,
            },
        )
        self._checked = lru_cache(maxsize=256)(self._check)

    def root_field(self, query: str, variables: Mapping[str, Any]) -> RootField | None:
        """Return the document's first root field; None if document or variables are invalid."""
        document, errors = self._checked(query)
        operation = get_operation_ast(document) if document and not errors else None
        if operation is None:
            return None
        values = self._variables(operation, variables)
        first = operation.selection_set.selections[0]
        if isinstance(values, list) or not isinstance(first, FieldNode):
            return None
        return self._root_field(operation, first, values)

    def run(self, query: str, variables: Mapping[str, Any], context: Context) -> dict[str, object]:
        """Return the Admin API's answer to a document, which it sends with HTTP 200."""
        document, errors = self._checked(query)
        if document is None or errors:
            return {"errors": [error.formatted for error in errors]}
        operation = get_operation_ast(document)
        if operation is None:
            return {"errors": [{"message": "An operation name is required"}]}
        wrong = self._variables(operation, variables)
        if isinstance(wrong, list):
            return {"errors": [_invalid_variable(error) for error in wrong]}
        field = self.root_field(query, variables)
        cost = field.cost if field else _CHEAP_COST
        if cost > COST_MAX:
            return _too_expensive(cost)
        result = execute_sync(
            self._schema, document, variable_values=dict(variables), context_value=context
        )
        return _answer(result, cost)

    def _check(self, query: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
        try:
            document = parse(query)
        except GraphQLError as error:
            return None, [error]
        return document, validate(self._schema, document)

    def _variables(
        self, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> list[GraphQLError] | dict[str, Any]:
        definitions = operation.variable_definitions or ()
        return get_variable_values(self._schema, definitions, dict(variables))

    def _root_field(
        self, operation: OperationDefinitionNode, field: FieldNode, values: dict[str, Any]
    ) -> RootField | None:
        is_mutation = operation.operation is OperationType.MUTATION
        root = self._schema.mutation_type if is_mutation else self._schema.query_type
        assert root is not None
        name = field.name.value
        definition = root.fields.get(name)
        if definition is None:
            return None
        costs_little = not is_mutation or name == "flowTriggerReceive"
        cost = _CHEAP_COST if costs_little else _MUTATION_COST
        if name in _READ_BY_PAGES:
            cost = cost_of(self._schema, root, field, values)
        return RootField(name, get_argument_values(definition, field, values), cost)


def throttled_answer() -> dict[str, object]:
    """Return the answer to a throttled call, which Shopify sends with HTTP 200."""
    error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
    cost = {
        "requestedQueryCost": _MUTATION_COST,
        "actualQueryCost": None,
        "throttleStatus": _BUCKET | {"currentlyAvailable": 0},
    }
    return {"errors": [error], "extensions": {"cost": cost}}


def _too_expensive(cost: int) -> dict[str, object]:
    message = f"Query cost is {cost}, which exceeds the single query max cost limit ({COST_MAX})."
    extensions = {"code": "MAX_COST_EXCEEDED", "cost": cost, "maxCost": COST_MAX}
    return {"errors": [{"message": message, "extensions": extensions}]}


def _answer(result: ExecutionResult, cost: int) -> dict[str, object]:
    available = _BUCKET["maximumAvailable"] - cost
    costs = {
        "requestedQueryCost": cost,
        "actualQueryCost": cost,
        "throttleStatus": _BUCKET | {"currentlyAvailable": available},
    }
    answer: dict[str, object] = {"data": result.data, "extensions": {"cost": costs}}
    if result.errors:
        answer["errors"] = [error.formatted for error in result.errors]
    return answer


def _invalid_variable(error: GraphQLError) -> dict[str, object]:
    problem = {"path": [], "explanation": error.message}
    return {
        "message": "Variable was provided invalid value",
        "extensions": {"code": "INVALID_VARIABLE", "problems": [problem]},
    }


def _discount_code_basic_create(
    _source: object, info: GraphQLResolveInfo, **arguments: Any
) -> dict[str, object]:
    context: Context = info.context
    given = arguments["basicCodeDiscount"]
    value = (given.get("customerGets") or {}).get("value") or {}
    if len([kind for kind in value.values() if kind is not None]) > 1:
        raise GraphQLError(
            "customerGets.value takes one kind of value", extensions={"code": "BAD_REQUEST"}
        )
    discounts = context.shop.discounts
    try:
        discount = discounts.create(given, context.now, context.forgotten)
    except Refused as refused:
        return {"codeDiscountNode": None, "userErrors": _user_errors(refused)}
    return {"codeDiscountNode": discounts.node(discount, context.now), "userErrors": []}


def _discount_code_deactivate(
    _source: object, info: GraphQLResolveInfo, **arguments: Any
) -> dict[str, object]:
    context: Context = info.context
    discounts = context.shop.discounts
    try:
        discount = discounts.deactivate(arguments["id"], context.now)
    except Refused as refused:
        return {"codeDiscountNode": None, "userErrors": _user_errors(refused)}
    return {"codeDiscountNode": discounts.node(discount, context.now), "userErrors": []}


def _discount_code_delete(
    _source: object, info: GraphQLResolveInfo, **arguments: Any
) -> dict[str, object]:
    context: Context = info.context
    try:
        context.shop.discounts.delete(arguments["id"])
    except Refused as refused:
        return {"deletedCodeDiscountId": None, "userErrors": _user_errors(refused)}
    return {"deletedCodeDiscountId": arguments["id"], "userErrors": []}


def _flow_trigger_receive(
    _source: object, info: GraphQLResolveInfo, **arguments: Any
) -> dict[str, object]:
    context: Context = info.context
    try:
        context.shop.triggers.receive(
            arguments.get("handle"), arguments.get("payload"), context.now, context.forgotten
        )
    except Refused as refused:
        return {"userErrors": _user_errors(refused)}
    return {"userErrors": []}


def _code_discount_node(_source: object, info: GraphQLResolveInfo, **arguments: Any) -> object:
    context: Context = info.context
    discount = context.shop.discounts.by_id(arguments["id"])
    return discount and context.shop.discounts.node(discount, context.now)


def _code_discount_node_by_code(
    _source: object, info: GraphQLResolveInfo, **arguments: Any
) -> object:
    context: Context = info.context
    discount = context.shop.discounts.by_code(arguments["code"])
    return discount and context.shop.discounts.node(discount, context.now)


def _customer(_source: object, info: GraphQLResolveInfo, **arguments: Any) -> object:
    context: Context = info.context
    gid = arguments["id"]
    number = number_of(gid)
    if number is None:
        raise GraphQLError(f"Invalid global id '{gid}'", extensions={"code": "BAD_REQUEST"})
    if not _has_customer(context, number):
        return None
    customer = context.shop.customers.get(gid) or Customer(number)

    def metafield(info: object, key: str, namespace: str | None = None) -> object:
        written = context.shop.metafields.get(number, namespace, key)
        return written or customer.metafield(info, key, namespace)

    return customer.node() | {"metafield": metafield}


def _customers(_source: object, info: GraphQLResolveInfo, **arguments: Any) -> object:
    context: Context = info.context
    found = context.shop.customers.search(arguments.get("query") or "")
    try:
        return connection([one.node() for one in found], arguments.get("first"), None)
    except BadQuery as error:
        raise GraphQLError(str(error), extensions={"code": "BAD_REQUEST"}) from error


def _has_customer(context: Context, number: str) -> bool:
    gid = f"gid://shopify/Customer/{number}"
    if number == context.forgotten:
        return False
    is_elsewhere = any(shop.customers.get(gid) for shop in context.other_shops)
    return context.shop.customers.get(gid) is not None or not is_elsewhere


def _metafields_set(
    _source: object, info: GraphQLResolveInfo, **arguments: Any
) -> dict[str, object]:
    context: Context = info.context
    try:
        found = context.shop.metafields.put(
            arguments["metafields"], lambda number: _has_customer(context, number)
        )
    except Refused as refused:
        return {"metafields": None, "userErrors": _user_errors(refused)}
    return {"metafields": found, "userErrors": []}


def _metafields_delete(
    _source: object, info: GraphQLResolveInfo, **arguments: Any
) -> dict[str, object]:
    context: Context = info.context
    found = context.shop.metafields.delete(arguments["metafields"])
    return {"deletedMetafields": found, "userErrors": []}


def _orders(_source: object, info: GraphQLResolveInfo, **arguments: Any) -> object:
    context: Context = info.context
    try:
        return context.shop.orders.page(arguments)
    except BadQuery as error:
        raise GraphQLError(str(error), extensions={"code": "BAD_REQUEST"}) from error


def _order(_source: object, info: GraphQLResolveInfo, **arguments: Any) -> object:
    context: Context = info.context
    return context.shop.orders.get(arguments["id"])


def _refund(_source: object, info: GraphQLResolveInfo, **arguments: Any) -> object:
    context: Context = info.context
    return context.shop.orders.refund(arguments["id"])


def _webhook_subscriptions(_source: object, info: GraphQLResolveInfo, **_: Any) -> object:
    context: Context = info.context
    metafields = [
        {"namespace": namespace, "key": key} for namespace, key in context.shop.webhook_metafields
    ]
    return {"nodes": [{"metafields": metafields}] if metafields else []}


def _shop(_source: object, info: GraphQLResolveInfo) -> dict[str, object]:
    context: Context = info.context
    return {
        "__typename": "Shop",
        "id": "gid://shopify/Shop/1",
        "name": context.shop.domain.partition(".")[0],
        "myshopifyDomain": context.shop.domain,
        "currencyCode": context.shop.currency,
        "ianaTimezone": context.shop.time_zone,
    }


def _user_errors(refused: Refused) -> list[dict[str, object]]:
    return [error.as_answer() for error in refused.errors]
