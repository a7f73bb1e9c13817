"""The one use case: load, decide, commit; and retry until there is a verdict."""
