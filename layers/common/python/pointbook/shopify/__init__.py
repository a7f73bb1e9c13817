"""What arrives from Shopify, and what leaves for it."""
