"""What all calls to the world outside have in common: deadlines, connections, shared tokens."""
