"""Benchmarks are run by hand: each at least finds what it needs of hwnas."""

from importlib import import_module
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("__"))


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_is_importable(name: str) -> None:
    import_module(f"benchmarks.{name}")
