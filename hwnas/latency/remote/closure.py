"""The modules of hwnas that a module needs, found in the source without importing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The folder of the package ``hwnas``."""

EMPTY = ("hwnas", "hwnas.latency")
"""Packages whose ``__init__`` only offers names to people; where they are shipped they are empty."""


def closure(*modules: str) -> dict[str, Path]:
    """Modules of hwnas that `modules` need, themselves included, with their files, sorted by name.

    Imports inside functions count; those under ``if TYPE_CHECKING`` do not, and neither do those of
    the `EMPTY` packages.
    """
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        path = source(name)
        if path is None or name in found:
            continue
        found[name] = path
        if "." in name:
            waiting.append(name.rpartition(".")[0])
        if name not in EMPTY:
            waiting.extend(imports(path))
    return dict(sorted(found.items()))


def source(name: str) -> Path | None:
    """The file of a module of hwnas; None for any other name."""
    first, *rest = name.split(".")
    if first != "hwnas":
        return None
    base = ROOT.joinpath(*rest)
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in candidates if path.is_file()), None)


def imports(path: Path) -> Iterator[str]:
    """Names that a file imports: modules, and what may be a module in a package."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting.extend(node.orelse)
        else:
            waiting.extend(ast.iter_child_nodes(node))
