"""What an engineer is told instead of a traceback."""


class OpsProblem(Exception):
    """Something that the engineer can put right; the text says what and how."""
