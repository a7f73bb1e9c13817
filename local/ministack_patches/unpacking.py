"""Each zip file is unpacked once, not once for every process.

MiniStack unpacks a function and its layers anew, some thousand files, for every process it starts.
Here a process gets links to one copy. Handlers may not write there: on AWS they cannot either.
"""

import hashlib
import os
import tempfile
import threading
import zipfile
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import override

from local.ministack_patches import module, part, replace

_UNPACKING = threading.Lock()


def apply() -> None:
    """Let MiniStack's workers share what is unpacked."""
    runtime = module("core.lambda_runtime")
    part(part(runtime, "zipfile"), "ZipFile")
    shared = SimpleNamespace(
        ZipFile=_SharedZipFile,
        BadZipFile=zipfile.BadZipFile,
        LargeFileError=zipfile.LargeZipFile,
    )
    replace(runtime, "zipfile", shared)


class _SharedZipFile(zipfile.ZipFile):
    """A zip file that is unpacked once in this process's life."""

    @override
    def extractall(
        self,
        path: str | os.PathLike[str] | None = None,
        members: Iterable[str | zipfile.ZipInfo] | None = None,
        pwd: bytes | None = None,
    ) -> None:
        """Put a link to the unpacked files in place of the empty folder `path`."""
        assert self.filename is not None
        assert path is not None
        assert (members, pwd) == (None, None)
        digest = hashlib.sha256(Path(self.filename).read_bytes()).hexdigest()
        unpacked = Path(tempfile.gettempdir()) / "unpacked" / digest
        with _UNPACKING:
            if not unpacked.exists():
                unfinished = unpacked.with_suffix(".unfinished")
                super().extractall(unfinished)
                unfinished.rename(unpacked)
        folder = Path(path)
        folder.rmdir()
        folder.symlink_to(unpacked, target_is_directory=True)
