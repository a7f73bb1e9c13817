"""Every GraphQL document that Pointbook sends to Shopify's Admin API, version 2026-10.

A document has one root field. A test validates all of them, with the variables that are built for
them, against Shopify's own schema.
"""

from dataclasses import dataclass

API_VERSION = "2026-10"


@dataclass(frozen=True, slots=True)
class Document:
    """A document and the name of its root field, which is the key of the answer."""

    root: str
    text: str


_DISCOUNT = """
fragment Discount on DiscountCodeNode {
  id
  codeDiscount {
    ... on DiscountCodeBasic {
      status
      endsAt
      usageLimit
      tags
      context { ... on DiscountCustomers { customers { id } } }
      customerGets {
        value { ... on DiscountAmount { amount { amount currencyCode } appliesOnEachItem } }
      }
    }
  }
}
"""

DISCOUNT_CREATE = Document(
    "discountCodeBasicCreate",
    """
mutation CreateDiscount($discount: DiscountCodeBasicInput!) {
  discountCodeBasicCreate(basicCodeDiscount: $discount) {
    codeDiscountNode { ...Discount }
    userErrors { field message code }
  }
}
"""
    + _DISCOUNT,
)

DISCOUNT_BY_CODE = Document(
    "codeDiscountNodeByCode",
    """
query FindDiscount($code: String!) {
  codeDiscountNodeByCode(code: $code) { ...Discount }
}
"""
    + _DISCOUNT,
)

DISCOUNT_DEACTIVATE = Document(
    "discountCodeDeactivate",
    """
mutation DeactivateDiscount($id: ID!) {
  discountCodeDeactivate(id: $id) {
    codeDiscountNode { id }
    userErrors { field message code }
  }
}
""",
)

FLOW_TRIGGER_RECEIVE = Document(
    "flowTriggerReceive",
    """
mutation SendTrigger($handle: String!, $payload: JSON!) {
  flowTriggerReceive(handle: $handle, payload: $payload) {
    userErrors { field message }
  }
}
""",
)

CUSTOMER_TAGS = Document(
    "customer",
    """
query CustomerTags($id: ID!) {
  customer(id: $id) { id tags }
}
""",
)

CUSTOMER_ID = Document(
    "customer",
    """
query FindCustomer($id: ID!) {
  customer(id: $id) { id }
}
""",
)
