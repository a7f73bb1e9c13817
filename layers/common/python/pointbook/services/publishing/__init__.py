"""Publishing entries to Shopify Flow: through an outbox, at least once, in order."""
