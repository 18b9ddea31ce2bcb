"""What a command works on: an ONNX or .tflite file, an architecture of a space, or a torch module."""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwnas.cli.options import refuse
from hwnas.network.network import Network
from hwnas.network.program.program import Program
from hwnas.spaces import Architecture, SearchSpace
from hwnas.spaces import space as space_of
from hwnas.spaces.coverage import distinct_blocks
from hwnas.spaces.registry import space_of_file, spec

if TYPE_CHECKING:
    from hwnas.search import RunRecord


@dataclass(frozen=True)
class Target:
    """A network and how it is called.

    Attributes:
        name: a path, an architecture, or a module's name.
        network: what it describes.
        excluded: layers left out of an ONNX file.
        module: where it is a torch module.
        program: where it is a .tflite file: what that executes.
        tflite_bytes: size of that file.
    """

    name: str
    network: Network
    excluded: tuple[str, ...] = ()
    module: Any = None
    program: Program | None = None
    tflite_bytes: int | None = None


MAX_INPUT = 2**28
SAMPLES = 30


def target(
    name: str | None,
    space: str | None,
    arch: str | None,
    input_shape: str | None = None,
    *,
    skip_unknown: bool = False,
) -> Target:
    """Resolve the options of a command; raises ValueError naming the option that is missing or wrong."""
    if arch is not None or space is not None:
        if name is not None:
            raise ValueError("give either a file or module, or --space with --arch, not both")
        refuse({"input": input_shape}, "with --space and --arch")
        chosen = architecture(space, arch)
        return Target(str(chosen), chosen.network)
    if name is None:
        raise ValueError(
            "nothing to work on: give an .onnx or .tflite file, module:factory, or --space with --arch"
        )
    suffix = Path(name).suffix.lower()
    if suffix in (".onnx", ".tflite"):
        refuse({"input": input_shape}, f"with a file in {suffix}")
        return _onnx(Path(name), skip_unknown) if suffix == ".onnx" else _tflite(Path(name))
    if ":" in name:
        return _module(name, input_shape)
    raise ValueError(f"{name!r} is neither an .onnx or .tflite file nor module:factory of a torch module")


def search_space(given: str | None) -> SearchSpace:
    """The space of `--space`; spaces of one's own are looked for in the current folder too."""
    if given is None:
        raise ValueError("--space is missing, such as --space mobilenetv2:resolution=96,classes=10")
    _look_here()
    return space_of(given)


def space_of_run(record: RunRecord, given: str | None) -> SearchSpace:
    """The space of a run, which `--space` names where it is one's own.

    Raises:
        ValueError: it is not given, or another one.
    """
    recorded = str(record.config["space"])
    if given is None:
        return space_of_file(recorded)
    found = search_space(given)
    if spec(found) != recorded:
        raise ValueError(f"--space {given}: the run is of {recorded}")
    return found


def architecture(space: str | None, arch: str | None) -> Architecture:
    """The architecture of `--space` and `--arch`."""
    found = search_space(space)
    if arch is None:
        example = found.sample(1, seed=0)[0]
        raise ValueError(f"--arch is missing: an architecture of {found.name}, such as {example}")
    return found.parse(arch)


def architectures(
    space: str | None, arch: str | None, samples: int | None, seed: int
) -> tuple[SearchSpace, list[Architecture]]:
    """The space of `--space`, and the architectures of `--arch`, or `--samples` (`SAMPLES`) drawn from it."""
    found = search_space(space)
    if arch is not None:
        refuse({"samples": samples}, "with --arch")
        return found, [found.parse(text) for text in (_lines(arch[1:]) if arch.startswith("@") else [arch])]
    samples = SAMPLES if samples is None else samples
    if samples < 1:
        raise ValueError(f"--samples must be at least 1, not {samples}")
    return found, found.sample(samples, seed=seed)


def _lines(file: str) -> list[str]:
    """The lines of `--arch @file` that are not empty."""
    path = Path(file)
    if not path.is_file():
        raise ValueError(f"--arch @{file}: there is no such file")
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    found = [line for line in lines if line]
    if not found:
        raise ValueError(f"--arch @{file}: the file holds no architecture")
    return found


def blocks_to_measure(
    space: SearchSpace, blocks: str | None, seed: int
) -> bool | Iterable[tuple[str, Network]]:
    """What `--blocks` means: those of the space (by default), of the networks (True), or none (False)."""
    blocks = blocks or "all"
    if blocks not in ("all", "sample", "none"):
        raise ValueError(f"--blocks must be all, sample or none, not {blocks!r}")
    return distinct_blocks(space, seed=seed).values() if blocks == "all" else blocks == "sample"


def shape(text: str | None) -> tuple[int, ...]:
    """`3x224x224` as numbers; raises ValueError where it is not a shape."""
    if text is None:
        raise ValueError("--input is missing: the input shape of the module, such as --input 3x224x224")
    try:
        sizes = tuple(int(part) for part in text.lower().replace(",", "x").split("x"))
    except ValueError:
        raise ValueError(f"--input {text!r} is not a shape such as 3x224x224") from None
    if not sizes or min(sizes) < 1 or math.prod(sizes) > MAX_INPUT:
        raise ValueError(f"--input {text!r} is not a shape such as 3x224x224")
    return sizes


def _onnx(path: Path, skip_unknown: bool) -> Target:
    from hwnas.network.from_onnx import read_onnx

    reading = read_onnx(path, exclude_unknown=skip_unknown)
    return Target(str(path), reading.network, reading.excluded)


def _tflite(path: Path) -> Target:
    from hwnas.network.tflite import from_tflite, read_tflite

    file = read_tflite(path)
    return Target(str(path), from_tflite(file), program=file.program, tflite_bytes=file.size_bytes)


def _module(name: str, input_shape: str | None) -> Target:
    sizes = shape(input_shape)
    _look_here()
    import torch

    from hwnas.network.from_torch import from_torch

    where, _, factory = name.partition(":")
    try:
        made = getattr(importlib.import_module(where), factory)
        module = made if isinstance(made, torch.nn.Module) else made()
    except Exception as error:  # whatever somebody else's code does when it is imported and called
        raise ValueError(f"no torch module {name}: {type(error).__name__}: {error}") from error
    if not isinstance(module, torch.nn.Module):
        raise ValueError(f"{name} gives a {type(module).__name__}, not a torch.nn.Module")
    return Target(name, from_torch(module, torch.zeros(1, *sizes)), module=module)


def _look_here() -> None:
    if "" not in sys.path:
        sys.path.insert(0, "")
