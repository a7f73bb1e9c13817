"""Command-line tools for the merchant's engineer, for a deployed stack or the laptop's."""
