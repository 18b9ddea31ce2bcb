"""`hwnas benchmark`: strategies compared on recorded results of a whole space."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hwnas.cli.differentiable_pruning import TENAS
from hwnas.cli.options import Json, Seed
from hwnas.cli.oracles import oracles
from hwnas.cli.output import console, print_json, print_table, progress_bar, say
from hwnas.cli.targets import search_space
from hwnas.executors import process_pool

if TYPE_CHECKING:
    from hwnas.objectives import Metric
    from hwnas.search.comparison import RecordedSpace, StrategyComparison
    from hwnas.spaces import SearchSpace


def benchmark(
    space: Annotated[str, typer.Option(help="Search space whose architectures are all recorded.")],
    oracle: Annotated[
        list[str],
        typer.Option(
            help="Recorded results, as NAME=FILE:COLUMN; repeat for more. NAME may be left out, and COLUMN "
            "of a file with one. `seconds` is how long training took, `accuracy@0.06` the accuracy after "
            "that part of it."
        ),
    ],
    maximize: Annotated[
        str | None, typer.Option(help="Metric to maximise; that of the first --oracle if not given.")
    ] = None,
    subject_to: Annotated[
        list[str] | None, typer.Option(help="Bound of a metric: 'latency_ms <= 5ms'; repeat for more.")
    ] = None,
    strategies: Annotated[
        str,
        typer.Option(help="Strategies, separated by commas, or `all`; with settings: genetic:population=20."),
    ] = "all",
    proxies: Annotated[
        str | None,
        typer.Option(
            help="Proxies to compare the strategies with: a file of scores with a column for each, or "
            "counts, such as live_params,flops."
        ),
    ] = None,
    peers: Annotated[
        bool, typer.Option("--peers", help="Let Optuna's and pymoo's samplers take part, where installed.")
    ] = False,
    repeats: Annotated[
        int, typer.Option(help="Searches of each strategy, with seeds one after another.")
    ] = 500,
    queries: Annotated[
        int | None,
        typer.Option(
            help="Different networks that a search may train, parts of trainings counting as parts; 300 if "
            "neither this nor --seconds is given."
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            help="Simulated seconds of training that a search may take, such as 12000; "
            "with --oracle seconds=FILE:COLUMN."
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Worker processes; the result does not depend on it.")] = 1,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for comparison.csv, .json, .png and .html; if stopped, repeat the command."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Compare strategies on recorded results: what each finds, and after how many trained networks."""
    from hwnas.search.comparison import SearchJournal, compare, contestants, recorded_space, scale
    from hwnas.search.comparison import peers as installed_peers
    from hwnas.search.settings import make_objective

    if out is not None and any(place.is_file() for place in (out, *out.parents)):
        raise ValueError(f"--out {out} is a file, or in one; give a folder")
    if out is not None and (out / "comparison.json").exists():
        raise ValueError(f"--out {out} holds a comparison already; give another folder")
    chosen = _named(strategies)
    searched = search_space(space)
    metrics = oracles(oracle, searched)
    target = maximize or next(iter(metrics))
    if target not in metrics:
        raise ValueError(f"--maximize {target}: no --oracle has it; they have {', '.join(metrics)}")
    cheap = _proxies(proxies, searched)
    if seconds is not None:
        _check_budget(seconds, metrics)
    if twice := sorted(set(metrics) & set(cheap)):
        raise ValueError(f"--proxies: {twice[0]} is the name of an --oracle, too")
    objective = make_objective(target, subject_to or [], metrics | cheap)
    with process_pool(jobs) as executor, progress_bar("looking results up") as bar:
        recorded = recorded_space(searched, objective, metrics | cheap, also_needed=list(metrics))
        taking_part = contestants(chosen, list(cheap), score=scale(recorded.metrics[target]))
        journal = _journal(out)
        others, missing = installed_peers() if peers else ([], {})
        found = compare(
            recorded,
            objective,
            [*taking_part, *others],
            repeats=repeats,
            queries=queries,
            budget_s=math.inf if seconds is None else seconds,
            seed=seed,
            executor=executor,
            journal=SearchJournal(journal),
            progress=bar.update,
        )
    _say_what_is_undefined(recorded, list(cheap))
    _show(replace(found, left_out={**found.left_out, **missing}), out, json)
    if journal is not None:
        journal.unlink(missing_ok=True)


def _named(strategies: str) -> list[str]:
    """The strategies to compare; `hwnas list strategies` has others as well."""
    from hwnas.search.comparison import named

    try:
        return named(strategies)
    except ValueError:
        from hwnas.differentiable.methods import METHODS

        for name in (text.partition(":")[0].strip() for text in strategies.split(",")):
            if name in (*METHODS, TENAS):
                raise ValueError(
                    f"--strategies: {name} searches a supernet and looks nothing up; run it with hwnas search"
                ) from None
        raise


def _journal(out: Path | None) -> Path | None:
    """The file in `--out`, made if missing, that keeps the searches until all are done."""
    if out is None:
        return None
    out.mkdir(parents=True, exist_ok=True)
    return out / "searches.journal"


def _check_budget(seconds: float, metrics: Mapping[str, Metric]) -> None:
    from hwnas.search.comparison import SECONDS

    if not (seconds > 0 and math.isfinite(seconds)):
        raise ValueError(f"--seconds must be above 0 and finite, not {seconds:g}")
    if SECONDS not in metrics:
        raise ValueError(
            f"--seconds {seconds:g}: how long each training takes is not given; "
            f"add --oracle {SECONDS}=FILE:COLUMN"
        )


def _say_what_is_undefined(recorded: RecordedSpace, proxies: Sequence[str]) -> None:
    for name in proxies:
        known = recorded.coverage(name)
        if known < 1:
            say(f"{name} is defined for {known:.1%} of the architectures")


def _show(found: StrategyComparison, out: Path | None, json: bool) -> None:
    from hwnas.report.comparison import content, write_comparison
    from hwnas.report.comparison_text import headline, legend, remarks, tables, task

    written = () if out is None else write_comparison(found, out)
    if json:
        print_json(content(found))
        return
    _line(task(found))
    _line(headline(found))
    for heads, rows in tables(found):
        console.print()
        print_table(heads, rows)
    console.print()
    for line in (legend(found), *remarks(found)):
        _line(line)
    if written:
        _line(f"wrote {', '.join(str(path) for path in written)}")


def _proxies(given: str | None, space: SearchSpace) -> dict[str, Metric]:
    """The metrics of `--proxies`: all columns of a file, or counts, for both of which more is better."""
    if given is None:
        return {}
    from hwnas.search.comparison import counted

    named = [name.strip() for name in given.split(",") if name.strip()]
    if not named:
        raise ValueError("--proxies is empty: give a file of scores, or counts, such as live_params,flops")
    if not Path(given).exists():
        try:
            return counted(named)
        except ValueError as error:
            raise ValueError(f"--proxies {given}: {error}") from error
    from hwnas.oracles import oracle, read_table
    from hwnas.proxies import get, names

    known = names()
    try:
        return {
            name: oracle(
                given, name, space, higher_is_better=get(name).higher_is_better if name in known else True
            )
            for name in read_table(given).metrics
        }
    except ValueError as error:
        raise ValueError(f"--proxies {given}: {error}") from error


def _line(text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
