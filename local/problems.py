"""The error of the laptop stack, with a message for the person at the terminal."""


class LocalProblem(Exception):
    """The stack cannot start, run or stop; the message says why and what to do."""
