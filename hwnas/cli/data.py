"""Where latency tables and predictors are found by name."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

_MARKS = {"latency_tables": "meta.json", "predictors": "predictor.json"}


def found_in(kind: str) -> dict[str, Path]:
    """Folders of `kind` (`latency_tables` or `predictors`) by name.

    Those in the current folder come first, then those of the checkout, then those of the package.
    """
    root = Path(str(files("hwnas")))
    found: dict[str, Path] = {}
    for place in (Path(kind), root.parent / kind, root / "_data" / kind):
        if not place.is_dir():
            continue
        for folder in sorted(place.iterdir()):
            if (folder / _MARKS[kind]).is_file():
                found.setdefault(folder.name, folder)
    return found


def resolve(kind: str, name: str) -> Path:
    """The folder called `name`, or the folder at that path; raises ValueError listing what is known."""
    if (Path(name) / _MARKS[kind]).is_file():
        return Path(name)
    known = found_in(kind)
    if name in known:
        return known[name]
    what = "latency table" if kind == "latency_tables" else "predictor"
    raise ValueError(
        f"no {what} {name!r}: no such folder, and the known ones are {', '.join(known) or 'none'}"
    )
