"""Changes of points pushed to the till, and reports of the till that they come back as."""
