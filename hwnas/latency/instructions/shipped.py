"""Where the instruction tables are that come with hwnas."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from hwnas.latency.instructions.table import OPERATORS

CORTEX_M7 = "cortex-m7-cmsisnn"


def shipped(name: str = CORTEX_M7) -> Path:
    """The folder of an instruction table by name: in the current folder, the checkout, or the package.

    Raises:
        ValueError: there is none of that name.
    """
    root = Path(str(files("hwnas")))
    for place in (Path(), root.parent, root / "_data"):
        folder = place / "latency_tables" / name
        if (folder / OPERATORS).is_file():
            return folder
    raise ValueError(f"no instruction table {name!r} in latency_tables, here or in the package")
