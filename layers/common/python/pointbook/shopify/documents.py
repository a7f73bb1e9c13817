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

CUSTOMER_STATE = Document(
    "customer",
    """
query CustomerState($id: ID!) {
  customer(id: $id) { id state }
}
""",
)

CUSTOMER_METAFIELD = Document(
    "customer",
    """
query CustomerMetafield($id: ID!, $namespace: String!, $key: String!) {
  customer(id: $id) { id metafield(namespace: $namespace, key: $key) { value } }
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

ORDERS_UPDATED = Document(
    "orders",
    """
query FindUpdatedOrders($query: String!, $first: Int!, $after: String) {
  orders(query: $query, first: $first, after: $after, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes { id updatedAt customer { id } }
  }
}
""",
)

_MONEY = "{ shopMoney { amount currencyCode } }"

ORDER = Document(
    "order",
    f"""
query FindOrder($id: ID!, $lineItems: String) {{
  order(id: $id) {{
    id
    name
    test
    currencyCode
    createdAt
    updatedAt
    cancelledAt
    displayFinancialStatus
    taxesIncluded
    customer {{ id }}
    discountCodes
    subtotalPriceSet {_MONEY}
    totalTaxSet {_MONEY}
    totalTipReceivedSet {_MONEY}
    metafield(namespace: "omni_hub", key: "point_used") {{ value }}
    refunds(first: 100) {{ id }}
    lineItems(first: 40, after: $lineItems) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{
        id
        quantity
        currentQuantity
        isGiftCard
        requiresShipping
        taxable
        product {{ id }}
        originalUnitPriceSet {_MONEY}
        discountAllocations {{
          allocatedAmountSet {_MONEY}
          discountApplication {{ index ... on DiscountCodeApplication {{ code }} }}
        }}
        taxLines {{ priceSet {_MONEY} }}
      }}
    }}
  }}
}}
""",
)

REFUND = Document(
    "refund",
    f"""
query FindRefund(
  $id: ID!
  $refundLineItems: String
  $transactions: String
  $orderAdjustments: String
  $refundShippingLines: String
) {{
  refund(id: $id) {{
    id
    createdAt
    duties {{ amountSet {_MONEY} }}
    refundLineItems(first: 50, after: $refundLineItems) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{
        quantity
        subtotalSet {_MONEY}
        totalTaxSet {_MONEY}
        lineItem {{ id isGiftCard }}
      }}
    }}
    transactions(first: 20, after: $transactions) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ kind status amountSet {{ presentmentMoney {{ amount currencyCode }} }} }}
    }}
    orderAdjustments(first: 20, after: $orderAdjustments) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ amountSet {_MONEY} taxAmountSet {_MONEY} }}
    }}
    refundShippingLines(first: 10, after: $refundShippingLines) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ id }}
    }}
  }}
}}
""",
)

TILL_SUBSCRIPTIONS = Document(
    "webhookSubscriptions",
    """
query FindOrderSubscriptions {
  webhookSubscriptions(first: 50, topics: [ORDERS_CREATE, ORDERS_UPDATED]) {
    nodes { metafields { namespace key } }
  }
}
""",
)

METAFIELDS_SET = Document(
    "metafieldsSet",
    """
mutation SetMetafields($metafields: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $metafields) {
    userErrors { field message code }
  }
}
""",
)

METAFIELDS_DELETE = Document(
    "metafieldsDelete",
    """
mutation DeleteMetafields($metafields: [MetafieldIdentifierInput!]!) {
  metafieldsDelete(metafields: $metafields) {
    userErrors { field message }
  }
}
""",
)
