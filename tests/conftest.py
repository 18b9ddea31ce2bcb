"""What all tests share: the real data, where it is present."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Threads of processes that share the cores wait for each other: one each, in the processes that tests start, too.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shared machine can stall any single example.
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")

DATA = Path(os.environ.get("HWNAS_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@pytest.fixture
def nasbench201_csv() -> Path:
    """`index,arch,test_accuracy` of all 15,625 cells, in the benchmark's order."""
    path = DATA / "nasbench201" / "cifar10_accuracy.csv"
    if not path.exists():
        pytest.skip(f"NAS-Bench-201's table is not at {path}: set HWNAS_TEST_DATA")
    return path
