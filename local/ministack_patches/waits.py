"""Shorter waits for a function's log output.

MiniStack waits 50 ms after each call for a first log line, and 5 ms after each line for the next.
The lines come through a pipe from a process that has already answered, so 2 ms and 1 ms are enough;
a later line appears with the next call.
"""

from local.ministack_patches import PatchError, module, part

_FIRST_LINE_SECONDS = 0.002
_NEXT_LINE_SECONDS = 0.001
_LONGEST_SECONDS = 0.050


def apply() -> None:
    """Shorten the waits."""
    drain = part(part(module("core.lambda_runtime"), "Worker"), "_drain_stderr_bounded")
    if len(drain.__defaults__ or ()) != 3:
        raise PatchError("Worker._drain_stderr_bounded does not take three waits")
    drain.__defaults__ = (_FIRST_LINE_SECONDS, _NEXT_LINE_SECONDS, _LONGEST_SECONDS)
