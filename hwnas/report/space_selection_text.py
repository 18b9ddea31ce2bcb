"""What is said of a selection, in words and as a table of texts."""

from __future__ import annotations

from collections.abc import Sequence

from hwnas.objectives import format_quantity
from hwnas.report.text import UNKNOWN, count, label, percent
from hwnas.tinynas import Selection, SpaceStatistics
from hwnas.tinynas.ranking import LEAST_SATISFYING

HEADS = ("space", "mean MACs", "p80 MACs", "satisfying", "tightest limit", "excludes", "is first")
MEANING = (
    "Of each space networks were drawn at random and not trained. More MACs within the same limits mean more "
    "capacity, so the space comes first whose satisfying networks have the most "
    "(Lin et al., “MCUNet”, NeurIPS 2020). 1 MAC is 2 FLOPs; the paper's FLOPs are MACs."
)


def headline(selection: Selection) -> str:
    """The answer in a sentence."""
    best = selection.best
    return (
        f"{best.name} is the space to search in: {percent(best.feasible)} of its networks are within "
        f"{limits(selection)}, with {count(best.mean_macs)} MACs in the mean"
    )


def limits(selection: Selection) -> str:
    """`256.0 kB peak SRAM and 1.00 MB flash`."""
    told = [
        f"{format_quantity(one.bound, selection.units[one.metric])} {label(one.metric)}"
        for one in selection.constraints
    ]
    return " and ".join([", ".join(told[:-1]), told[-1]] if len(told) > 1 else told)


def certainty(selection: Selection) -> str:
    """How sure it is that the first space is the first, and which others may be."""
    best, candidates = selection.best, selection.candidates
    if best.probability_first is None:
        return (
            f"Too few networks satisfy the limits (fewer than {LEAST_SATISFYING} in a space that may be the "
            f"first) to say how sure it is that {best.name} is the first: draw more (--samples)."
        )
    sure = f"{best.name} is the first with a probability of {percent(best.probability_first)}"
    if len(candidates) == 1:
        return f"{sure} (bootstrap)."
    others = ", ".join(one.name for one in candidates)
    most = max(one.drawn for one in candidates)
    advice = (
        "A confidence asked for (--confidence) draws more of them."
        if selection.confidence is None
        else f"The {most:,} networks drawn of each do not tell them apart."
    )
    return f"{sure} (bootstrap): {others} cannot be told apart. {advice}"


def remarks(selection: Selection) -> list[str]:
    """What a reader must know beside the figures."""
    flagged = [one for one in selection.ranked if one.is_flagged and one.satisfying]
    empty = sum(not one.satisfying for one in selection.ranked)
    said = []
    if flagged:
        said.append(
            f"Spaces in which less than {percent(selection.min_feasible)} of the networks satisfy the limits "
            f"come after the others (*, {len(flagged)} of {len(selection.ranked)})."
        )
    if empty:
        said.append(f"In {empty} of {len(selection.ranked)} spaces no network satisfies the limits.")
    return said


def rows(spaces: Sequence[SpaceStatistics]) -> list[list[str]]:
    """A row of `HEADS` for each space; flagged ones are marked by an asterisk."""
    return [
        [
            f"{one.name}{' *' if one.is_flagged and one.satisfying else ''}",
            count(one.mean_macs) if one.satisfying else UNKNOWN,
            count(one.p80_macs) if one.satisfying else UNKNOWN,
            percent(one.feasible),
            *_tightest(one),
            percent(one.probability_first) if one.probability_first else UNKNOWN,
        ]
        for one in spaces
    ]


def _tightest(one: SpaceStatistics) -> tuple[str, str]:
    if one.tightest is None:
        return UNKNOWN, UNKNOWN
    return label(one.tightest), percent(one.excluded[one.tightest])
