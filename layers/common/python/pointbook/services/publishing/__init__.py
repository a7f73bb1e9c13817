"""Telling Shopify Flow what happened to points: through an outbox, at least once, in order."""
