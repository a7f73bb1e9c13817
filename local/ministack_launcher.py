"""Starts MiniStack 1.5.33 with patches for AWS behaviour that it lacks.

Runs on the interpreter of .venv-stack. Each patch replaces private parts of exactly this version;
if one is missing, the start fails with a message that names it.
"""

import importlib
import importlib.metadata
import sys

from local.ministack_patches import (
    PatchError,
    http_api,
    proxy_events,
    stream_state,
    streams,
    unpacking,
    waits,
    workers,
)

VERSION = "1.5.33"

_PATCHES = (waits, workers, unpacking, http_api, proxy_events, stream_state, streams)


def main() -> None:
    """Patch MiniStack and serve until stopped."""
    found = importlib.metadata.version("ministack")
    if found != VERSION:
        sys.exit(
            f"The patches are for MiniStack {VERSION}, but {found} is installed: run `make setup`."
        )
    try:
        for patch in _PATCHES:
            patch.apply()
    except PatchError as error:
        sys.exit(f"MiniStack {VERSION} is not as expected: {error}")
    importlib.import_module("ministack.app").main()


if __name__ == "__main__":
    main()
