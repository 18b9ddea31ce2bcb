"""What `hwnas search` and `hwnas demo` print of a run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hwnas.cli.output import console, print_json, print_table
from hwnas.objectives import format_quantity

if TYPE_CHECKING:
    from hwnas.latency.predictors.base import Floats
    from hwnas.search import Run


def print_answer(found: Run, json: bool, interpolated: Floats | None = None) -> None:
    """Print the verified candidates, and the answer.

    Args:
        found: by the search.
        json: for machines.
        interpolated: of each candidate's predicted latency, the share that is interpolated, `[n]`; None
            where the predictor does not.

    Raises:
        NothingFeasibleError: there is no answer.
    """
    from hwnas.report.headline import trainings_of, trials_of
    from hwnas.report.intervals import drift_warning, interval_text
    from hwnas.search.spending import full_trainings

    record = found.record
    evaluated = full_trainings(record.trials, record.maximize)
    if json:
        listed = [asdict(c) for c in record.candidates]
        if interpolated is not None:
            for one, share in zip(listed, interpolated, strict=True):
                one["interpolated"] = float(share)
        counts = {"trials": len(record.trials), "evaluated": evaluated}
        print_json({"winner": record.winner, **counts, "candidates": listed})
        found.best()
        return
    names = [record.maximize, *(n for n in record.bounds if n != record.maximize)]
    measured = list(dict.fromkeys(name for c in record.candidates for name in c.measured))
    between = [name for name in names if any(name in c.intervals for c in record.candidates)]
    lines = [
        *((name, [_number(c.predicted, name) for c in record.candidates]) for name in names),
        *((f"interval of {name}", [interval_text(c, name) for c in record.candidates]) for name in between),
        *(() if interpolated is None else [("interpolated", [f"{100 * one:.0f} %" for one in interpolated])]),
        *(
            (f"measured {name}".replace("_", " "), [_number(c.measured, name) for c in record.candidates])
            for name in measured
        ),
        *((f"{name} within", [_yes_or_no(c.within(name)) for c in record.candidates]) for name in between),
        ("satisfies", ["yes" if c.satisfies else "no" for c in record.candidates]),
    ]
    ranks = [str(rank) for rank in range(1, len(record.candidates) + 1)]
    print_table(["candidate", *ranks], [[name, *values] for name, values in lines])
    if warning := drift_warning(record.candidates):
        console.print(warning, markup=False, soft_wrap=True)
    console.print(
        f"{trials_of(len(record.trials))}, {trainings_of(evaluated, record.maximize)}", markup=False
    )
    console.print(f"report: {found.folder / 'report.html'}", markup=False)
    best = found.best()
    console.print(f"best: {best.architecture}\nonnx: {best.onnx}", markup=False, soft_wrap=True)


def _number(values: Any, name: str) -> str:
    if name not in values:
        return ""
    return format_quantity(values[name], "bytes") if name.endswith("_bytes") else f"{values[name]:.4g}"


def _yes_or_no(answer: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[answer]
