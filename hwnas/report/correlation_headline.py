"""What a comparison of proxies says, in sentences."""

from __future__ import annotations

import math

from hwnas.proxies.correlation import Comparison, Judged
from hwnas.report.correlation_panels import colour_values, figure


def headline(comparison: Comparison) -> str:
    """The best proxy and the best baseline by Spearman's correlation."""
    number = f"{len(comparison.truth):,} architectures"
    proxies = [_named(one) for one in _ranked(comparison, baseline=False)[:1]]
    sizes = [_named(one) for one in _ranked(comparison, baseline=True)[:1]]
    if not proxies and not sizes:
        return f"{number}: no rank correlation with {comparison.truth_name} is defined"
    proxy = f"best proxy {proxies[0]}" if proxies else "no proxy"
    size = f"best baseline {sizes[0]}" if sizes else "no baseline"
    return f"{comparison.truth_name} of {number}: {proxy}, {size}"


def legend(comparison: Comparison) -> str:
    """How the panels are to be read."""
    said = "Each dot is an architecture"
    if colour_values(comparison.size) is not None:
        said += ", darker with more parameters"
    if any(one.correlation.coverage < 1 for one in comparison.judged):
        said += "; ticks along the bottom: architectures whose score is undefined"
    return f"{said}."


def _ranked(comparison: Comparison, *, baseline: bool) -> list[Judged]:
    """Those with a Spearman correlation, the best first."""
    known = [
        one
        for one in comparison.judged
        if one.baseline == baseline and math.isfinite(one.correlation.spearman.value)
    ]
    return sorted(known, key=lambda one: -one.correlation.spearman.value)


def _named(judged: Judged) -> str:
    found = judged.correlation
    of = "" if found.coverage == 1 else f", {100 * found.coverage:.1f} % scored"
    return f"{judged.name} (Spearman {figure(found.spearman.value)}{of})"
