"""What Shopify's privacy webhooks ask for: a customer's data, a customer erased, a shop erased."""
