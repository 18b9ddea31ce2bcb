"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Space = Annotated[
    str | None,
    typer.Option(
        help="Search space: a name, or module:Class, with settings: mobilenetv2:resolution=96,classes=10"
    ),
]
Arch = Annotated[str | None, typer.Option(help="Architecture of the space, as `hwnas` prints it.")]
Archs = Annotated[
    str | None,
    typer.Option("--arch", help="Architecture of the space, or @file with one on each line."),
]
InputShape = Annotated[
    str | None, typer.Option("--input", help="Input shape of a torch module, such as 3x224x224.")
]
Samples = Annotated[
    int | None, typer.Option(help="Whole architectures of the space to measure; 30 by default.")
]
Blocks = Annotated[
    str | None,
    typer.Option(
        help="Blocks to measure: `all` of the space (the default), those of the `sample`, or `none`."
    ),
]
DeviceName = Annotated[
    str,
    typer.Option(
        "--device", help="Device to measure on (see `hwnas list devices`), or ssh://user@host of another one."
    ),
]
Threads = Annotated[int, typer.Option(help="Threads that the runtime may use.")]
DeviceThreads = Annotated[
    int | None, typer.Option("--threads", help="Threads of one inference; 1 by default.")
]
Level = Annotated[
    str | None,
    typer.Option(help="Optimisation of the graph: disable, basic, extended, or all (the default)."),
]
Precision = Annotated[
    str | None, typer.Option(help="Precision of the arithmetic: fp32 (the default), fp16, bf16, or int8.")
]
Batch = Annotated[
    int | None, typer.Option(help="Samples in one inference; 1 by default. Latencies are of the whole batch.")
]
Layout = Annotated[
    str | None, typer.Option(help="Feature maps in memory: channels_first (the default) or channels_last.")
]
Compile = Annotated[bool, typer.Option("--compile", help="Let torch.compile make the models faster first.")]
Graphs = Annotated[bool, typer.Option("--graphs", help="Run each model as one CUDA graph.")]
Board = Annotated[
    str | None, typer.Option(help="Board whose SRAM and flash are the limits (see `hwnas list boards`).")
]
Sram = Annotated[
    str | None, typer.Option("--sram", help="Limit of the SRAM, such as 320kB (kB is 1024 bytes).")
]
Flash = Annotated[str | None, typer.Option("--flash", help="Limit of the flash, such as 1MB.")]
Seed = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Seed of everything random.")]
Quick = Annotated[
    bool, typer.Option("--quick", help="Fewer repetitions: the protocol's quick variant. Tables do not mix.")
]
Out = Annotated[Path, typer.Option("--out", help="Where to write.")]


def run_folder(text: str) -> Path:
    """The folder of a run; raises typer.BadParameter, which names the option, where it cannot be one."""
    if not text:
        raise typer.BadParameter("the name of the run's folder is empty")
    if Path(text).is_file():
        raise typer.BadParameter(f"{text} is a file; a run is a folder")
    return Path(text)


def refuse(given: Mapping[str, object], where: str) -> None:
    """Raise ValueError for the first option that was given and has no effect."""
    for name, value in given.items():
        if value is not None and value is not False:
            raise ValueError(f"--{name} has no effect {where}")
