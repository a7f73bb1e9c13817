"""What `shopify.metafields` is given; without the Admin API, which not every start needs."""

from typing import NamedTuple

METAFIELDS_MAX = 25
"""The most that Shopify takes in one call."""


class MetafieldsRefused(Exception):
    """Shopify refuses one or several of the metafields in a call, of which it took none."""


class NewValue(NamedTuple):
    """A value for a customer's metafield."""

    customer_id: str
    namespace: str
    key: str
    value: str


class Name(NamedTuple):
    """A customer's metafield."""

    customer_id: str
    namespace: str
    key: str
