"""Networks that were measured before, such as those that a predictor was fitted on: candidates at no cost."""

from __future__ import annotations

from dataclasses import dataclass

from hwnas.latency import LatencyTable
from hwnas.latency.tables.entry import Entry
from hwnas.search.evaluate import Evaluator
from hwnas.search.measured import Document, document_of
from hwnas.search.records import Trial
from hwnas.spaces import Architecture, SearchSpace

DOUBTFUL = frozenset({"failed", "unstable", "drifted", "rescaled", "interpolated"})
"""Flags of entries that are no measurement to rely on as it is."""


@dataclass(frozen=True)
class Known:
    """A network with all metrics of a search and its measurement."""

    trial: Trial
    document: Document


def known_networks(table: LatencyTable, evaluator: Evaluator) -> list[Known]:
    """The networks of `table` that keep a bound on the latency and have the maximised metric.

    Each is evaluated as a trial is. Those whose measurement is in doubt are left out.

    Raises:
        ValueError: a network of the table is none of the space's.
    """
    objective = evaluator.objective
    bounds = [constraint.bound for constraint in objective.constraints if constraint.metric == "latency_ms"]
    found: list[Known] = []
    for entry in table.networks:
        if DOUBTFUL.isdisjoint(entry.flags) and all(entry.latency_ms <= bound for bound in bounds):
            architecture = _architecture(entry, evaluator.space)
            done = evaluator(architecture, objective.maximize)
            if done.status != "failed" and objective.maximize in done.metrics:
                trial = Trial(
                    len(found), str(architecture), done.status, done.metrics, done.reason, done.seconds
                )
                found.append(Known(trial, document_of(entry, table.meta.sentinels)))
    return found


def _architecture(entry: Entry, space: SearchSpace) -> Architecture:
    try:
        architecture = space.parse(entry.name)
    except ValueError as error:
        raise ValueError(f"known: the network {entry.name!r} is none of {space}: {error}") from error
    if architecture.network.key != entry.key:
        raise ValueError(f"known: the network {entry.name!r} is another one in {space}")
    return architecture
