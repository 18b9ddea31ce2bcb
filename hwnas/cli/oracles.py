"""The option `--oracle`: metrics from files of recorded results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hwnas.cli.output import say
from hwnas.objectives import MetricError

if TYPE_CHECKING:
    from hwnas.objectives import Metric
    from hwnas.spaces import Architecture, SearchSpace

LOOKED_UP = 200
"""Random architectures by which it is judged how much of a space is recorded."""


def oracles(given: Sequence[str], space: SearchSpace, taken: Iterable[str] = ()) -> dict[str, Metric]:
    """The metrics of `--oracle NAME=FILE:COLUMN`, by name.

    NAME may be left out, and COLUMN of a file with one.

    Args:
        given: the option's texts.
        space: of the architectures.
        taken: names of metrics that were given otherwise.

    Raises:
        ValueError: a text is malformed, a file is missing or cannot be read, or a name is given twice; the
            message begins with the option.
    """
    found: dict[str, Metric] = {}
    names = set(taken)
    for text in given:
        try:
            one = _oracle(text, space)
        except (ValueError, FileNotFoundError) as error:
            raise ValueError(f"--oracle {text}: {error}") from error
        if one.name in names:
            raise ValueError(f"--oracle {text}: {one.name} is given twice; name them NAME=FILE:COLUMN")
        names.add(one.name)
        found[one.name] = one
        _say_what_is_missing(one, space)
    return found


def _say_what_is_missing(metric: Metric, space: SearchSpace) -> None:
    """Warn where not every architecture is recorded: the trials of others fail."""
    generator = np.random.default_rng(0)
    known = sum(_is_recorded(metric, space.random(generator)) for _ in range(LOOKED_UP))
    if known < LOOKED_UP:
        say(
            f"{metric.name} is recorded for {known} of {LOOKED_UP} random architectures of the space; "
            "a trial of one that is not fails"
        )


def _is_recorded(metric: Metric, architecture: Architecture) -> bool:
    try:
        metric(architecture)
    except MetricError:
        return False
    return True


def _oracle(text: str, space: SearchSpace) -> Metric:
    from hwnas.oracles import oracle
    from hwnas.search.fidelity import at_fidelity, split

    name, equals, rest = text.partition("=")
    path, column = _place(rest if equals else text)
    return oracle(path, column, space, name=at_fidelity(*split(name if equals else column)))


def _place(text: str) -> tuple[Path, str]:
    """File and column of `FILE:COLUMN`, or of a file with one column."""
    from hwnas.oracles import read_benchmark
    from hwnas.oracles.message import shortened

    if text and Path(text).exists():
        columns = list(read_benchmark(text).metrics)
        if len(columns) > 1:
            named = [shortened(column) for column in columns]
            raise ValueError(f"say which column, as {text}:{named[0]}; it has {', '.join(named)}")
        return Path(text), columns[0]
    path, _, column = text.rpartition(":")
    if not path or not column:
        raise ValueError("there is no such file; the form is NAME=FILE:COLUMN")
    return Path(path), column
