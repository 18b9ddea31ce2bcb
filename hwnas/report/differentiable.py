"""A differentiable search in its folder: a page and pictures for people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from hwnas.differentiable.records import RECORD, DifferentiableRecord, load
from hwnas.report.folder import write_files
from hwnas.search.derived import read_derived
from hwnas.spaces import SearchSpace


def write_differentiable(folder: Path | str, space: SearchSpace | None = None) -> tuple[Path, ...]:
    """Write the report of the search in `folder`, finished or interrupted, into it.

    `report.html` and `report.png`, the course of the search, and `probabilities.png`; also
    `architecture.png` where the space is one of hwnas's own or given.

    Args:
        folder: of the search.
        space: that of the search.

    Returns:
        Their paths, in that order.

    Raises:
        ValueError: the folder holds no differentiable search, one without epochs, a damaged one, or one of
            another space.
        OSError: the folder cannot be written.
    """
    from hwnas.report.architecture_drawing import drawings
    from hwnas.report.differentiable_answer import answer_of, facts_of
    from hwnas.report.differentiable_html import write_html
    from hwnas.report.differentiable_png import write_png
    from hwnas.report.differentiable_probabilities_png import write_probabilities
    from hwnas.report.drawing_png import write_drawings

    place = Path(folder)
    record = load(place)
    _check(record, place)
    verified = read_derived(place)
    if verified is not None and verified.architecture != record.architecture:
        verified = None
    answer = answer_of(record, space)
    facts = facts_of(record, answer)
    if verified is not None:
        costs = record.epochs[-1].derived_costs
        facts = replace(facts, costs={name: verified.predicted[name] for name in costs})
    files: dict[str, Callable[[Path], object]] = {
        "report.html": partial(write_html, record, answer, facts, verified),
        "report.png": partial(write_png, record, facts),
        "probabilities.png": partial(write_probabilities, record, answer),
    }
    if answer is not None:
        files["architecture.png"] = partial(write_drawings, drawings(answer))
    return write_files(place, files)


def _check(record: DifferentiableRecord, folder: Path) -> None:
    """Raise ValueError where a record has no epochs, or they do not fit it or each other."""
    if not record.epochs:
        raise ValueError(f"{folder}: no epoch of its search has ended yet, so there is nothing to report")
    sizes = {group: len(labels) for group, labels in record.groups.items()}
    costs = record.epochs[0].expected.keys()
    for epoch in record.epochs:
        found = {group: len(shares) for group, shares in epoch.probabilities.items()}
        if found != sizes or epoch.expected.keys() != costs or epoch.derived_costs.keys() != costs:
            raise ValueError(
                f"{folder / RECORD} is damaged: epoch {epoch.number} does not fit the groups and costs"
            )
