"""Page faults of a process that frees a large block and asks for it again."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import torch
from hwnas.freed_memory import freed_memory_kept

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        torch.ones(16 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

found = [faults()]
with freed_memory_kept():
    with freed_memory_kept():
        faults()
    found.append(faults())
found.append(faults())
print(*found)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such setting")
def test_blocks_are_kept_inside_and_given_back_outside():
    found = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True).stdout
    before, inside, after = map(int, found.split())
    assert inside < before / 4
    assert after > inside * 4
