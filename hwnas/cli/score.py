"""`hwnas score`: zero-cost proxies of one network, of a sample of a space, or of all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hwnas.cli.options import Arch, InputShape, Json, Seed, Space
from hwnas.cli.output import check_output, console, print_json, print_table, progress_bar, say
from hwnas.cli.targets import Target, search_space, target
from hwnas.cli.workers import Workers, workers
from hwnas.spaces import Architecture

if TYPE_CHECKING:
    from torch import Tensor

    from hwnas.network.network import Network
    from hwnas.proxies.result import ProxyResult
    from hwnas.proxies.sweep import ScoreTable

SHOWN = 50


def score(
    file: Annotated[str | None, typer.Argument(help="net.onnx, or module:factory of a torch module.")] = None,
    space: Space = None,
    arch: Arch = None,
    samples: Annotated[
        int, typer.Option(min=0, help="Score this many random architectures of the space.")
    ] = 0,
    everything: Annotated[bool, typer.Option("--all", help="Score all architectures of the space.")] = False,
    proxies: Annotated[str, typer.Option(help="Names, separated by commas (see `hwnas list proxies`).")] = (
        "synflow,naswot"
    ),
    data: Annotated[
        str | None, typer.Option(help="Data set of the batch: digits, a file or folder; noise if not given.")
    ] = None,
    batch: Annotated[int, typer.Option(help="Images in the batch.")] = 64,
    input_shape: InputShape = None,
    seed: Seed = 0,
    device: Annotated[str, typer.Option(help="Where the networks run: cpu, cuda or cuda:1.")] = "cpu",
    jobs: Annotated[int, typer.Option(help="Worker processes for --samples and --all, one thread each.")] = 1,
    dask: Annotated[str | None, typer.Option(help="Address of a dask scheduler to score on instead.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write scores as .parquet or .csv; if stopped, repeat the command.")
    ] = None,
    json: Json = False,
) -> None:
    """Score untrained networks by zero-cost proxies."""
    from hwnas.proxies import get

    wanted = list(dict.fromkeys(name.strip() for name in proxies.split(",") if name.strip()))
    for name in wanted:
        get(name)
    if not wanted:
        raise ValueError("--proxies is empty; see `hwnas list proxies`")
    if batch < 2:
        raise ValueError(f"--batch must be at least 2, not {batch}")
    if not samples and not everything:
        if out is not None:
            raise ValueError("--out goes with --samples or --all")
        found = target(file, space, arch, input_shape)
        batched = _batch(data, found.network, seed, batch, device)
        _print_results(found.name, _results(found, wanted, *batched, seed), json)
        return
    if arch is not None or file is not None:
        raise ValueError("--samples and --all score architectures of --space; give no file and no --arch")
    if out is not None:
        check_output(out, ".parquet", ".csv")
        if out.exists():
            raise ValueError(f"--out {out} exists already: remove it, or choose another name")
    architectures = _architectures(space, samples, everything, seed, out)
    inputs, targets = _batch(data, architectures[0].network, seed, batch, device)
    table = _sweep(architectures, wanted, inputs, targets, seed, data, workers(jobs, dask), out)
    if out is not None:
        table.save(out)
        _journal(out).unlink(missing_ok=True)
    _print_sweep(table, out, json)


def _architectures(
    space: str | None, samples: int, everything: bool, seed: int, out: Path | None
) -> list[Architecture]:
    found = search_space(space)
    if not everything:
        return found.sample(samples, seed=seed)
    if samples:
        raise ValueError("--samples and --all exclude each other")
    if out is None:
        raise ValueError("--all needs --out, such as --out scores.parquet")
    return list(found.unique())


def _results(
    found: Target, wanted: list[str], inputs: Tensor, targets: Tensor, seed: int
) -> dict[str, ProxyResult]:
    from hwnas.proxies import score as score_module
    from hwnas.proxies.untrained import score_network

    if found.module is not None:
        module = found.module.to(inputs.device)
        return score_module(module, inputs, targets, wanted, network=found.network, seed=seed)
    return score_network(found.network, wanted, inputs, targets, seed=seed)


def _batch(data: str | None, network: Network, seed: int, batch: int, device: str) -> tuple[Tensor, Tensor]:
    import torch

    from hwnas.search.batch import proxy_batch

    try:
        place = torch.device(device)
    except RuntimeError as error:
        raise ValueError(f"--device {device!r} is none; use cpu, cuda or cuda:1") from error
    if place.type not in ("cpu", "cuda") or (place.type == "cuda" and not torch.cuda.is_available()):
        raise ValueError(f"--device {device}: torch finds no such device here; use cpu")
    inputs, targets = proxy_batch(data, network.inputs[0].shape, network.outputs[0].size, seed, batch)
    return inputs.to(place), targets.to(place)


def _sweep(
    architectures: list[Architecture],
    wanted: Sequence[str],
    inputs: Tensor,
    targets: Tensor,
    seed: int,
    data: str | None,
    pool: AbstractContextManager[Workers],
    out: Path | None,
) -> ScoreTable:
    from hwnas.proxies.sweep import score_architectures

    with pool as (executor, _), progress_bar("scoring") as bar:
        return score_architectures(
            architectures,
            wanted,
            inputs,
            targets,
            seed=seed,
            data=data or "noise",
            executor=executor,
            journal=_journal(out) if out is not None else None,
            progress=bar.update,
        )


def _journal(out: Path) -> Path:
    return out.with_name(out.name + ".journal")


def _print_results(name: str, results: dict[str, ProxyResult], as_json: bool) -> None:
    if as_json:
        print_json([{"name": name, "proxies": {key: asdict(result) for key, result in results.items()}}])
        return
    print_table(["network", *results], [[name, *(f"{r.value:.6g}" for r in results.values())]])
    for proxy, result in results.items():
        if result.reason is not None:
            console.print(f"{proxy} is undefined: {result.reason}", markup=False)
        if result.note is not None:
            say(f"{proxy}: {result.note}")


def _print_sweep(table: ScoreTable, out: Path | None, as_json: bool) -> None:
    rows = list(zip(table.architectures, *table.scores.values(), strict=True))
    if as_json:
        names = list(table.scores)
        print_json(
            [
                {"name": text, "proxies": {n: asdict(s) for n, s in zip(names, scores, strict=True)}}
                for text, *scores in rows
            ]
        )
    elif out is None:
        shown = [[text, *(f"{score.value:.6g}" for score in scores)] for text, *scores in rows[:SHOWN]]
        print_table(["network", *table.scores], shown)
        if len(rows) > SHOWN:
            say(f"and {len(rows) - SHOWN} more: --out keeps them all")
    classes = len(set(table.keys))
    for name, scores in table.scores.items():
        reasons = Counter(score.reason for score in scores if score.reason)
        for reason, count in reasons.most_common(3):
            say(f"{name} is undefined for {count} of {len(scores)}: {reason}")
        notes = Counter(score.note for score in scores if score.note)
        for note, count in notes.most_common(1):
            say(f"{name}, {count} of {len(scores)}: {note}")
    if out is not None:
        say(f"{len(rows)} architectures, {classes} that differ once initialised: {out}")
