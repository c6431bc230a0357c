from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import ctypes
from radio.memory import return_freed_blocks

class MallocInfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks".split()]
    _fields_ += [(name, ctypes.c_size_t) for name in "uordblks fordblks keepcost".split()]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = MallocInfo
held = []

def is_mapped():
    before = libc.mallinfo2().hblks
    held.append(bytearray(500_000))
    return libc.mallinfo2().hblks > before

del bytearray(2_000_000)[:]  # freeing it raises glibc's threshold
print(is_mapped())
return_freed_blocks()
print(is_mapped())
"""


def test_large_blocks_return_to_the_system_after_larger_ones_were_freed() -> None:
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True, text=True, timeout=120)
    assert result.stdout.split() == ["False", "True"]
