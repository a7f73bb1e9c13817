"""Pushes changes of points to the till, and recognizes the till's reports of them (echoes)."""
