"""Reads for which processor a shared library was made, from its ELF header."""

import struct

_MAGIC = b"\x7fELF"
_MACHINE_OFFSET = 18
_MACHINES = {62: "x86_64", 183: "arm64"}
"""e_machine: EM_X86_64 and EM_AARCH64 (elf.h)."""


def machine_of(content: bytes) -> str:
    """The processor, as SAM names it. Raises ValueError for what is no ELF file or another one."""
    if not content.startswith(_MAGIC):
        raise ValueError("not an ELF file")
    (machine,) = struct.unpack_from("<H", content, _MACHINE_OFFSET)
    if machine not in _MACHINES:
        raise ValueError(f"ELF machine {machine}")
    return _MACHINES[machine]
