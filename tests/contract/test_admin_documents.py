"""Every GraphQL document, and what is sent with it, against Shopify's real schema.

The schema has to be there: `make shopify-schema`.
"""

from pathlib import Path
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLSchema,
    NoDeprecatedCustomRule,
    get_operation_ast,
    get_variable_values,
    parse,
    validate,
)

from local.fakes import shopify_schema
from pointbook.shopify import documents
from pointbook.shopify.discounts import discount_input
from pointbook.shopify.documents import API_VERSION, Document
from tests.support.discounts import DISCOUNT, GID

pytestmark = pytest.mark.shopify_schema

DOCUMENTS = {name: one for name, one in vars(documents).items() if isinstance(one, Document)}

VARIABLES: dict[str, dict[str, Any]] = {
    "DISCOUNT_CREATE": {"discount": discount_input(DISCOUNT)},
    "DISCOUNT_BY_CODE": {"code": DISCOUNT.code},
    "DISCOUNT_DEACTIVATE": {"id": GID},
    "CUSTOMER_TAGS": {"id": "gid://shopify/Customer/8840734670934"},
    "CUSTOMER_ID": {"id": "gid://shopify/Customer/8840734670934"},
    "CUSTOMER_STATE": {"id": "gid://shopify/Customer/8840734670934"},
    "CUSTOMER_METAFIELD": {
        "id": "gid://shopify/Customer/8840734670934",
        "namespace": "custom",
        "key": "member_number",
    },
    "ORDERS_UPDATED": {
        "query": "updated_at:>='2026-11-29T00:00:00Z'",
        "first": 100,
        "after": None,
    },
    "ORDER": {"id": "gid://shopify/Order/820982911946154508", "lineItems": None},
    "REFUND": {
        "id": "gid://shopify/Refund/890088186047892319",
        **dict.fromkeys(
            ("refundLineItems", "transactions", "orderAdjustments", "refundShippingLines")
        ),
    },
    "TILL_SUBSCRIPTIONS": {},
    "METAFIELDS_SET": {
        "metafields": [
            {
                "ownerId": "gid://shopify/Customer/8840734670934",
                "namespace": "$app",
                "key": "points_approved",
                "type": "number_integer",
                "value": "950",
            }
        ]
    },
    "METAFIELDS_DELETE": {
        "metafields": [
            {
                "ownerId": "gid://shopify/Customer/8840734670934",
                "namespace": "$app",
                "key": "points_rank",
            }
        ]
    },
    "FLOW_TRIGGER_RECEIVE": {"handle": "points-changed", "payload": {"customer_id": 1}},
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return shopify_schema.load_schema(shopify_schema.SCHEMA_FILE)


def test_the_documents_are_for_the_version_whose_schema_they_are_held_against() -> None:
    assert API_VERSION == shopify_schema.API_VERSION


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid(schema: GraphQLSchema, name: str) -> None:
    assert validate(schema, parse(DOCUMENTS[name].text)) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_uses_nothing_deprecated(schema: GraphQLSchema, name: str) -> None:
    assert validate(schema, parse(DOCUMENTS[name].text), [NoDeprecatedCustomRule]) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_has_the_one_root_field_that_it_names(name: str) -> None:
    operation = get_operation_ast(parse(DOCUMENTS[name].text))
    assert operation is not None
    (field,) = operation.selection_set.selections
    assert isinstance(field, FieldNode)
    assert field.name.value == DOCUMENTS[name].root


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_sent_with_a_document_fits(schema: GraphQLSchema, name: str) -> None:
    operation = get_operation_ast(parse(DOCUMENTS[name].text))
    assert operation is not None
    definitions = operation.variable_definitions or ()
    assert {one.variable.name.value for one in definitions} == VARIABLES[name].keys()
    assert get_variable_values(schema, definitions, VARIABLES[name]) == VARIABLES[name]


def test_no_document_stands_anywhere_else() -> None:
    package = Path(documents.__file__).parents[1]
    strays = [
        path.name
        for path in package.rglob("*.py")
        if "userErrors {" in path.read_text(encoding="utf-8") and path != Path(documents.__file__)
    ]
    assert strays == []
