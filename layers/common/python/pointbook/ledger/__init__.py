"""The single write path: load, decide, commit; with retries until there is a verdict."""
