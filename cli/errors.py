"""The errors of a command, printed without a traceback, and their exit statuses."""


class CommandFailed(Exception):
    """A problem that the engineer can solve; the message says what is wrong and what to do."""

    status = 1


class UsedWrongly(CommandFailed):
    """What was typed cannot be meant: another option, file or name is needed."""

    status = 2


class NotReachable(CommandFailed):
    """The stack, or a service that the command needs, does not answer."""

    status = 3
