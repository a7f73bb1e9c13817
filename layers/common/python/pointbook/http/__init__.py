"""HTTP calls to other services: transport with a deadline, and shared access tokens."""
