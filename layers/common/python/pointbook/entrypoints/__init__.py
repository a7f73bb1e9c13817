"""How Lambda calls the package: HTTP, queues, schedules, and who is asking."""
