"""The error of a command, printed without a traceback."""


class OpsProblem(Exception):
    """A problem that the engineer can solve; the message says what is wrong and what to do."""
