"""Changes of points carried to the till, and reports of the till that they come back as."""
