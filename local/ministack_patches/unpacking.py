"""A cache of unpacked zip files: each is unpacked once, not once per process.

MiniStack unpacks a function and its layers, some thousand files, for every process that it starts.
Here a process gets links to one copy. Handlers must not write there; on AWS they cannot either.
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
    """Let MiniStack's workers share unpacked files."""
    runtime = module("core.lambda_runtime")
    part(part(runtime, "zipfile"), "ZipFile")
    shared = SimpleNamespace(
        ZipFile=_SharedZipFile,
        BadZipFile=zipfile.BadZipFile,
        LargeFileError=zipfile.LargeZipFile,
    )
    replace(runtime, "zipfile", shared)


class _SharedZipFile(zipfile.ZipFile):
    """A zip file that is unpacked once per content."""

    @override
    def namelist(self) -> list[str]:
        """Return the files to check: none if they are unpacked already."""
        return [] if self._unpacked.exists() else super().namelist()

    @override
    def extractall(
        self,
        path: str | os.PathLike[str] | None = None,
        members: Iterable[str | zipfile.ZipInfo] | None = None,
        pwd: bytes | None = None,
    ) -> None:
        """Replace the empty folder `path` with a link to the unpacked files."""
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
        """The folder of its unpacked files."""
        assert self.filename is not None
        digest = hashlib.sha256(Path(self.filename).read_bytes()).hexdigest()
        return Path(tempfile.gettempdir()) / "unpacked" / digest
