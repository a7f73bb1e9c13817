"""Each zip file is unpacked once, not once for every process.

MiniStack checks and unpacks a function and its layers anew, some thousand files, for every process
it starts. Here a process gets links to one copy. Handlers may not write there: on AWS they cannot
either.
"""

import hashlib
import os
import tempfile
import threading
import zipfile
from collections.abc import Iterable
from functools import cached_property
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
    def namelist(self) -> list[str]:
        """The files that may have to be looked at: none of what is unpacked already."""
        return [] if self._unpacked.exists() else super().namelist()

    @override
    def extractall(
        self,
        path: str | os.PathLike[str] | None = None,
        members: Iterable[str | zipfile.ZipInfo] | None = None,
        pwd: bytes | None = None,
    ) -> None:
        """Put a link to the unpacked files in place of the empty folder `path`."""
        assert path is not None
        assert (members, pwd) == (None, None)
        with _UNPACKING:
            if not self._unpacked.exists():
                unfinished = self._unpacked.with_suffix(".unfinished")
                super().extractall(unfinished)
                unfinished.rename(self._unpacked)
        folder = Path(path)
        folder.rmdir()
        folder.symlink_to(self._unpacked, target_is_directory=True)

    @cached_property
    def _unpacked(self) -> Path:
        """Where its files are, or will be."""
        assert self.filename is not None
        digest = hashlib.sha256(Path(self.filename).read_bytes()).hexdigest()
        return Path(tempfile.gettempdir()) / "unpacked" / digest
