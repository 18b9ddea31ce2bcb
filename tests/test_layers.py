"""Who may import whom: each package those above it, and never those beside it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROWS = (
    ("network", "objectives"),
    ("spaces", "cost"),
    ("proxies", "latency", "training", "oracles"),
    ("search", "differentiable", "tinynas"),
    ("report",),
    ("cli",),
)
ROW = {package: row for row, packages in enumerate(ROWS) for package in packages}
LATENCY_ROWS = (
    ("records", "printable", "block_ids"),
    ("timing",),
    ("devices",),
    ("tables",),
    ("measuring",),
    ("kernels", "remote"),
    ("predictors",),
    ("instructions",),
    ("transfer",),
    ("fit",),
    ("transfer.few_shot",),
)
DIFFERENTIABLE_ROWS = (
    ("record_file",),
    ("settings", "memory", "records", "fitting", "checkpoint", "batches", "bilevel", "supernet", "zeros"),
    ("connected", "costs", "oneshot", "pruning", "skips", "methods"),
    ("auxiliary", "guards", "limits"),
    ("derivation",),
    ("plan", "stepper"),
    ("search",),
)
ROWS_INSIDE = {"latency": LATENCY_ROWS, "differentiable": DIFFERENTIABLE_ROWS}
ROW_INSIDE = {
    package: {part: row for row, parts in enumerate(rows) for part in parts}
    for package, rows in ROWS_INSIDE.items()
}
PARTS = [(package, part) for package, rows in ROW_INSIDE.items() for part in rows]
ROOT = Path(__file__).resolve().parents[1] / "hwnas"
MAY_IMPORT_TORCH = {
    "network": {"to_torch", "torch_layers", "torch_functions", "from_torch", "modes", "recurrent"},
    "cost": {"check"},
}
WITHOUT_TORCH = ("network", "objectives", "spaces", "cost", "tinynas")


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path, *, deferred: bool = True) -> set[str]:
    """Absolute names of the modules that a file imports; without `deferred`, when it is imported itself."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.add(str(node.module))
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        inside = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        if deferred or not inside:
            waiting.extend(ast.iter_child_nodes(node))
    return found


def test_every_package_has_its_row() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= set(ROW)


@pytest.mark.parametrize("package", ROW)
def test_a_package_imports_those_above_it_only(package: str) -> None:
    for path in files(package):
        for name in imports(path):
            parts = name.split(".")
            if parts[0] != "hwnas" or len(parts) < 2 or parts[1] not in ROW or parts[1] == package:
                continue
            assert ROW[parts[1]] < ROW[package], f"{path.relative_to(ROOT)} imports {name}"


def part_of(package: str, name: str) -> str | None:
    """The part of `ROWS_INSIDE` that a module belongs to; None for the package's list of names."""
    inside = name.removeprefix(f"hwnas.{package}").strip(".")
    matches = [part for part in ROW_INSIDE[package] if f"{inside}.".startswith(f"{part}.")]
    return max(matches, key=len, default=None)


@pytest.mark.parametrize("package", ROWS_INSIDE)
def test_every_part_has_its_row(package: str) -> None:
    names = {path.stem for path in (ROOT / package).iterdir() if not path.stem.startswith("__")}
    assert names <= set(ROW_INSIDE[package])


@pytest.mark.parametrize(("package", "part"), PARTS)
def test_a_part_imports_those_above_it_only(package: str, part: str) -> None:
    rows = ROW_INSIDE[package]
    for path in files(package):
        module = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
        if part_of(package, module) != part:
            continue
        for name in imports(path):
            other = part_of(package, name) if name.startswith(f"hwnas.{package}.") else None
            if other not in (None, part):
                assert rows[other] < rows[part], f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("package", WITHOUT_TORCH)
def test_no_torch_where_none_is_needed(package: str) -> None:
    for path in files(package):
        if path.stem in MAY_IMPORT_TORCH.get(package, ()):
            continue
        torch = [name for name in imports(path) if name.split(".")[0] in ("torch", "fvcore")]
        assert not torch, f"{path.relative_to(ROOT)} imports {torch}"


def test_counting_and_choosing_start_without_torch() -> None:
    program = (
        "import sys, hwnas.spaces, hwnas.cost, hwnas.network\n"
        "import hwnas.network.from_onnx, hwnas.network.to_onnx\n"
        "from hwnas.spaces import space\n"
        "network = space('mobilenetv2').sample(1, seed=0)[0].network\n"
        "hwnas.cost.count(network).live, network.key\n"
        "print(sorted({'torch', 'pandas', 'scipy', 'networkx'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
