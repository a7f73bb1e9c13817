"""Metafields: a copy of each customer's points at Shopify, written through an outbox."""
