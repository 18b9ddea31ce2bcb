"""`hwnas score`: zero-cost proxies of one network, or of a sample of a space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hwnas.cli.options import Arch, InputShape, Json, Seed, Space
from hwnas.cli.output import check_output, console, print_json, print_table, progress_bar
from hwnas.cli.targets import search_space, target
from hwnas.network.network import Network


def score(
    file: Annotated[str | None, typer.Argument(help="net.onnx, or module:factory of a torch module.")] = None,
    space: Space = None,
    arch: Arch = None,
    samples: Annotated[
        int, typer.Option(min=0, help="Score this many random architectures of the space.")
    ] = 0,
    proxies: Annotated[str, typer.Option(help="Names, separated by commas (see `hwnas list proxies`).")] = (
        "synflow,naswot"
    ),
    data: Annotated[
        str | None, typer.Option(help="Data set of the batch: digits, a file or folder; noise if not given.")
    ] = None,
    batch: Annotated[int, typer.Option(help="Images in the batch.")] = 64,
    input_shape: InputShape = None,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="Write a CSV file.")] = None,
    json: Json = False,
) -> None:
    """Score untrained networks by zero-cost proxies."""
    wanted = [name.strip() for name in proxies.split(",") if name.strip()]
    if out is not None:
        check_output(out, ".csv")
    if batch < 2:
        raise ValueError(f"--batch must be at least 2, not {batch}")
    if samples:
        if arch is not None or file is not None:
            raise ValueError("--samples draws from --space; give no file and no --arch with it")
        listed = [(str(a), a.network) for a in search_space(space).sample(samples, seed=seed)]
    else:
        found = target(file, space, arch, input_shape)
        if found.module is not None:
            _print([_scored(found.name, found.network, found.module, wanted, data, batch, seed)], out, json)
            return
        listed = [(found.name, found.network)]
    rows = []
    with progress_bar("scoring") as bar:
        for done, (name, network) in enumerate(listed, start=1):
            rows.append(_scored(name, network, None, wanted, data, batch, seed))
            bar.update(done, len(listed), "scoring")
    _print(rows, out, json)


def _scored(
    name: str, network: Network, module: Any, wanted: list[str], data: str | None, batch: int, seed: int
) -> dict[str, Any]:
    import torch

    from hwnas.network.to_torch import to_torch
    from hwnas.proxies import score as score_module
    from hwnas.search.metrics import proxy_batch

    if module is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = to_torch(network)
    classes = network.outputs[0].size
    inputs, targets = proxy_batch(data, network.inputs[0].shape, classes, seed, batch)
    return {"name": name, "results": score_module(module, inputs, targets, proxies=wanted)}


def _print(rows: list[dict[str, Any]], out: Path | None, as_json: bool) -> None:
    if out is not None:
        _write_csv(rows, out)
    if as_json:
        from dataclasses import asdict

        content = [
            {"name": row["name"], "proxies": {n: asdict(r) for n, r in row["results"].items()}}
            for row in rows
        ]
        print_json(content)
        return
    names = list(rows[0]["results"])
    table = [[row["name"], *(f"{row['results'][name].value:.6g}" for name in names)] for row in rows]
    print_table(["network", *names], table)
    for row in rows:
        for name, result in row["results"].items():
            if result.reason is not None:
                console.print(f"{row['name']}: {name} is undefined: {result.reason}", markup=False)


def _write_csv(rows: list[dict[str, Any]], out: Path) -> None:
    import csv
    import io

    from hwnas.files import write_whole

    text = io.StringIO()
    writer = csv.writer(text)
    names = list(rows[0]["results"])
    writer.writerow(["name", *names, *(f"{name}_reason" for name in names)])
    for row in rows:
        results = [row["results"][name] for name in names]
        writer.writerow([row["name"], *(r.value for r in results), *(r.reason or "" for r in results)])
    write_whole(out, text.getvalue())
