"""`hwnas demo`: measure this machine, predict, search under a budget, verify, report."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from hwnas.cli.options import Json, Seed
from hwnas.cli.output import console, progress_bar, say
from hwnas.cli.search_answer import print_answer

SPACE = "mobilenetv2:resolution=32,classes=10,width=0.35,kernels=(3,5),widths=(0.75,1.0),depths=(-1,0)"


def demo(
    folder: Annotated[Path, typer.Option("--out", help="Folder for everything.")] = Path("runs/demo"),
    budget: Annotated[int, typer.Option(min=1, help="Number of networks that the search scores.")] = 100,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """The whole way in a few minutes: a network that provably runs within a latency budget on this machine.

    Repeating the command resumes or shows what is there.
    """
    from hwnas.cli.measure import measure_space
    from hwnas.latency import QUICK, device, fit
    from hwnas.report import write_report
    from hwnas.search import Events, Training, Trial, process_pool
    from hwnas.search import run as run_search
    from hwnas.search.spending import Spending
    from hwnas.spaces import space as space_of
    from hwnas.training import TrainingSettings

    started = time.perf_counter()
    space, on = space_of(SPACE), device("ort-cpu", threads=1, protocol=QUICK)
    say(f"1. measure {space} on {on.describe().model}, one thread")
    with progress_bar("measuring") as bar:
        chosen = space.sample(12, seed=seed)
        table = measure_space(space, chosen, on, blocks="all", folder=folder / "table", seed=seed, bar=bar)
    predictor = fit(table, "lookup", space=space, seed=seed)
    predictor.save(folder / "predictor")
    latencies = sorted(entry.latency_ms for entry in table.networks if not entry.failed)
    bound = round(latencies[len(latencies) // 2], 2)
    error = f", held-out error {100 * predictor.held_out.mape:.1f} %" if predictor.held_out else ""
    say(f"2. look-up of {len(table.blocks)} blocks, corrected on {len(latencies)} networks{error}")
    settings = TrainingSettings(epochs=2, batch_size=64, augmentation=None, seed=seed, threads=1)
    say(f"3. search for the best network under {bound} ms, the median of those measured")
    spending = Spending("naswot")
    with process_pool(2) as executor, progress_bar("searching") as bar:

        def show(trial: Trial) -> None:
            spending.add(trial)
            bar.update(int(spending.trainings), budget, "searching")

        found = run_search(
            space,
            maximize="naswot",
            folder=folder / "run",
            subject_to=[f"latency_ms <= {bound}"],
            metrics={"latency_ms": predictor},
            strategy_settings={"population": 24},
            budget=budget,
            ahead=2,
            seed=seed,
            data="digits",
            executor=executor,
            device=on,
            training=Training("digits", settings),
            candidates=4,
            events=Events(show, say),
        )
    write_report(found.record, folder / "run")
    print_answer(found, json)
    if not json:
        console.print(f"{time.perf_counter() - started:.0f} s in all")
