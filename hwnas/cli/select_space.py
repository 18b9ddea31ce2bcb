"""`hwnas select-space`: the search space whose networks make the most of a microcontroller's memory."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hwnas.cli.options import Json, Seed
from hwnas.cli.output import console, print_json, print_table, progress_bar
from hwnas.executors import process_pool

if TYPE_CHECKING:
    from hwnas.tinynas import Limit, Selection

SHOWN = 10
MOST_JOBS = 8


def select_space(
    board: Annotated[
        str | None,
        typer.Option(help="Microcontroller whose SRAM and flash are the limits, such as stm32f746."),
    ] = None,
    sram: Annotated[
        str | None,
        typer.Option(help="Limit of the SRAM, such as 320kB (kB is 1024 bytes); goes before --board's."),
    ] = None,
    flash: Annotated[str | None, typer.Option(help="Limit of the flash, such as 1MB, likewise.")] = None,
    latency: Annotated[
        str | None, typer.Option(help="Limit of the latency that --predictor predicts, such as 200ms.")
    ] = None,
    predictor: Annotated[
        str | None, typer.Option(help="Predictor of the latency, as of `hwnas predict`.")
    ] = None,
    runtime: Annotated[
        str, typer.Option(help="Runtime whose memory plan and flash format count.")
    ] = "tinyengine",
    samples: Annotated[int, typer.Option(help="Networks to draw from each space.")] = 1000,
    widths: Annotated[
        str | None, typer.Option(help="Width multipliers, separated by commas; 0.2 to 1.0 by default.")
    ] = None,
    resolutions: Annotated[
        str | None, typer.Option(help="Input resolutions, separated by commas; 48 to 224 by default.")
    ] = None,
    classes: Annotated[int, typer.Option(help="Classes that the networks tell apart.")] = 1000,
    criterion: Annotated[
        str, typer.Option(help="Rank by the satisfying networks' mean (of MACs), p80, or mean*feasible.")
    ] = "mean",
    min_feasible: Annotated[
        float,
        typer.Option(help="Spaces of which a smaller fraction satisfies the limits rank after the others."),
    ] = 0.05,
    confidence: Annotated[
        float | None,
        typer.Option(
            help="Draw more from the first spaces until one is the first with this probability: 0.95."
        ),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(help=f"Worker processes; one a core by default, {MOST_JOBS} at most.")
    ] = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for spaces.csv, selection.json, cdf.png and cdf.html.")
    ] = None,
    json: Json = False,
) -> None:
    """Choose a search space for a microcontroller: that whose networks within the limits compute the most."""
    from hwnas.tinynas import mcunet_grid
    from hwnas.tinynas import select_space as select
    from hwnas.tinynas.grid import RESOLUTIONS, WIDTHS

    if out is not None:
        _check_folder(out)
    grid = mcunet_grid(
        WIDTHS if widths is None else _numbers("widths", widths, float),
        RESOLUTIONS if resolutions is None else _numbers("resolutions", resolutions, int),
        classes,
    )
    limits = _latency(latency, predictor)
    given = {"board": board, "sram": sram, "flash": flash, "runtime": runtime, "predictor": predictor}
    with (
        process_pool(min(_cores(), MOST_JOBS) if jobs is None else jobs) as executor,
        progress_bar("drawing networks") as bar,
    ):
        found = select(
            grid,
            board=board,
            sram=sram,
            flash=flash,
            runtime=runtime,
            limits=limits,
            samples=samples,
            criterion=criterion,
            min_feasible=min_feasible,
            confidence=confidence,
            seed=seed,
            executor=executor,
            progress=bar.update,
        )
    written: tuple[Path, ...] = ()
    if out is not None:
        from hwnas.report.space_selection import write_selection

        written = write_selection(found, out)
    if json:
        print_json(found.content())
        return
    _print(found, is_kept=out is not None)
    _line(f"next: {_search(found, given, latency)}")
    if written:
        _line(f"wrote {', '.join(str(path) for path in written)}")


def _print(found: Selection, *, is_kept: bool) -> None:
    from hwnas.report.space_selection_text import HEADS, certainty, headline, remarks, rows

    _line(headline(found))
    console.print()
    print_table(HEADS, rows(found.ranked[:SHOWN]))
    console.print()
    if len(found.ranked) > SHOWN:
        advice = "" if is_kept else ": --out keeps them all"
        _line(f"and {len(found.ranked) - SHOWN} more{advice}")
    for line in (certainty(found), *remarks(found)):
        _line(line)
    runtime = f"; runtime {found.runtime}" if found.runtime else ""
    _line(f"{found.drawn:,} networks drawn{runtime}; 1 MAC is 2 FLOPs (the paper's FLOPs are MACs)")


def _search(found: Selection, given: Mapping[str, str | None], latency: str | None) -> str:
    """The command that searches the first space under the same limits."""
    words = ["hwnas", "search", "--space", str(found.best.space)]
    for option, value in given.items():
        words += [] if value is None else [f"--{option}", value]
    words += [] if latency is None else ["--subject-to", f"latency_ms <= {latency}"]
    words += ["--strategy", "genetic", "--maximize", "macs", "--budget", "3000"]
    return shlex.join([*words, "--run", f"runs/{found.best.name}"])


def _check_folder(out: Path) -> None:
    """Refuse a folder that nothing can be written into; raises ValueError naming `--out`."""
    if any(place.is_file() for place in (out, *out.parents)):
        raise ValueError(f"--out {out} is a file, or in one; give a folder")
    there = next(place for place in (out, *out.absolute().parents) if place.is_dir())
    try:
        with tempfile.TemporaryDirectory(dir=there):
            pass
    except OSError as error:
        raise ValueError(f"--out {out} cannot be written: {error.strerror}") from error


def _latency(latency: str | None, predictor: str | None) -> list[Limit]:
    """The limit of `--latency`, if there is one."""
    if (latency is None) != (predictor is None):
        raise ValueError("--latency and --predictor go together: a limit such as 200ms, and what predicts it")
    if latency is None or predictor is None:
        return []
    from hwnas.cli.predict import predictor_of
    from hwnas.objectives import parse_quantity
    from hwnas.tinynas import LatencyMetric, Limit

    try:
        return [Limit(LatencyMetric(predictor_of(predictor)), parse_quantity(latency, "ms"))]
    except ValueError as error:
        raise ValueError(f"--latency {latency} by {predictor}: {error}") from error


def _numbers(option: str, text: str, kind: type) -> list[Any]:
    try:
        return [kind(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(
            f"--{option} {text!r} must be numbers separated by commas, such as "
            f"{'0.3,0.5' if kind is float else '96,160'}"
        ) from None


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _line(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
