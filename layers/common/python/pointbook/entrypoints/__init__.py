"""Wrappers around Lambda handlers for HTTP, Flow, webhooks, queues and schedules; authentication."""
