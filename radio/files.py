"""Whole files in memory, and the digests of those that the package ships.

A server hands copies of a station's files to its workers, so that a running station keeps its files even if the
originals change or disappear.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final

from radio.paths import CHECKSUMS

_SEALS: Final = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL

_copies: dict[Path, Path] = {}


def use_copies(copies: Mapping[str, int]) -> None:
    """Make this process read files from copies: `copies` maps each path to the descriptor of its open copy."""
    _copies.update({Path(name): Path(f"/proc/self/fd/{descriptor}") for name, descriptor in copies.items()})


def source(path: Path) -> Path:
    """Return the path to read a file from: that of its copy, if this process uses one, or its own."""
    return _copies.get(path, path)


def copy(path: Path) -> tuple[int, str]:
    """Copy a file into sealed memory, which cannot be changed, and return a descriptor and the SHA-256.

    Raises:
        OSError: The file cannot be read, or the system does not support sealed memory.
        ValueError: The file belongs to the package and is damaged.
    """
    descriptor = os.memfd_create(path.name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with path.open("rb") as file, open(descriptor, "wb", closefd=False) as target:
            shutil.copyfileobj(file, target)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        with open(descriptor, "rb", closefd=False) as file:
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        _compare(path, digest)
    except (OSError, ValueError):
        os.close(descriptor)
        raise
    return descriptor, digest


def read(path: Path) -> memoryview:
    """Return the content of a file in page-aligned memory. Later changes to the file do not affect it.

    A copy is mapped, so that processes share its memory.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is empty, or it belongs to the package and is damaged.
    """
    with source(path).open("rb") as file:
        if _is_sealed(file):
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        content = mmap.mmap(-1, os.fstat(file.fileno()).st_size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        data = memoryview(content)[: file.readinto(content)].toreadonly()
    _compare(path, hashlib.sha256(data).hexdigest())
    return data


def open_copy(path: Path) -> int:
    """Return a descriptor of this process's copy of a file, or of a new copy if it has none. See `copy`."""
    return os.open(_copies[path], os.O_RDONLY | os.O_CLOEXEC) if path in _copies else copy(path)[0]


def check(path: Path) -> None:
    """Raise OSError if a file cannot be read, or ValueError if it belongs to the package and is damaged."""
    with source(path).open("rb") as file:
        if path.absolute() in _shipped() and not _is_sealed(file):
            _compare(path, hashlib.file_digest(file, "sha256").hexdigest())


def _compare(path: Path, digest: str) -> None:
    if _shipped().get(path.absolute(), digest) != digest:
        raise ValueError("it is damaged: it differs from the file that came with the radio; reinstall the radio")


def _is_sealed(file: BinaryIO) -> bool:
    try:
        return bool(fcntl.fcntl(file, fcntl.F_GET_SEALS) & fcntl.F_SEAL_WRITE)
    except OSError:  # not in memory
        return False


@cache
def _shipped() -> Mapping[Path, str]:
    """Return the SHA-256 of each file that the package lists, by path."""
    lines = CHECKSUMS.read_text().splitlines()
    return {CHECKSUMS.parent / name: digest for digest, name in (line.split() for line in lines)}
