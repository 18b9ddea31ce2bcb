"""Predictions and their intervals against measurements, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwnas.report.derived import LATENCY
from hwnas.report.text import UNKNOWN
from hwnas.search.records import Candidate


def interval_text(candidate: Candidate, name: str) -> str:
    """`90 %: 3.1 to 3.9, below 3.8`, or a dash where there is no interval."""
    found = candidate.intervals.get(name)
    if found is None:
        return UNKNOWN
    return f"{100 * found.level:g} %: {found.low:.4g} to {found.high:.4g}, below {found.upper:.4g}"


def within_text(candidate: Candidate, name: str) -> str:
    """Whether the measured value lies in its interval: `yes`, `below`, `above`, or a dash."""
    within = candidate.within(name)
    if within is None:
        return UNKNOWN
    if within:
        return "yes"
    return "below" if candidate.measured[name] < candidate.intervals[name].low else "above"


def coverage_sentence(candidates: Sequence[Candidate]) -> str:
    """How many measured latencies lie in their intervals; empty where there are none."""
    answers = [answer for c in candidates if (answer := c.within(LATENCY)) is not None]
    if not answers:
        return ""
    level = next(c.intervals[LATENCY].level for c in candidates if LATENCY in c.intervals)
    return (
        f"{sum(answers)} of {len(answers)} measured latencies lie in their {100 * level:g} % interval; the "
        f"search compared the {100 * level:g} % upper bound with the budget."
    )


def drift_warning(candidates: Sequence[Candidate]) -> str:
    """That the machine's speed had changed or was disturbed while candidates were measured; else empty."""
    said = []
    ratios = [
        c.as_measured_ms / c.measured[LATENCY]
        for c in candidates
        if c.flag == "rescaled" and c.as_measured_ms is not None and LATENCY in c.measured
    ]
    if ratios:
        change = float(np.median(ratios)) - 1
        said.append(
            f"The machine was {abs(change):.1%} {'slower' if change > 0 else 'faster'} (median) when "
            "candidates were measured than when the predictor's table was: its sentinels say so. "
            f"{len(ratios)} measured latencies are rescaled to the table; such a network satisfies the "
            "budget only if its latency before rescaling does, too."
        )
    drifted = sum(c.flag == "drifted" for c in candidates)
    if drifted:
        said.append(
            f"Other processes disturbed the measurement of {drifted} candidates, and again when it was "
            "repeated: the sentinels contradict each other. These latencies are as measured; they satisfy a "
            "budget only if the largest that any sentinel makes of them does, too. The same command measures "
            "them again: run it on a quiet machine."
        )
    return " ".join(said)
