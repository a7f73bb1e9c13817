"""Wrappers around Lambda handlers: HTTP, Flow, webhooks, queues, schedules; authentication."""
