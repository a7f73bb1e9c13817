"""What can go wrong on a laptop, each in a sentence for the person at the terminal."""


class LocalProblem(Exception):
    """The stack cannot start, run or stop; the text says why and what to do."""
