"""The architecture that a differentiable search derived, as the choices that its supernetwork makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hwnas.differentiable.pruning.record import PruningRecord
from hwnas.differentiable.records import DifferentiableRecord
from hwnas.differentiable.skips import count_skips
from hwnas.report.colours import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION
from hwnas.spaces import SearchSpace
from hwnas.spaces.registry import space_of_file
from hwnas.spaces.supernetwork import Supernetwork

_NONE = "#cdd5dc"
_COLOURS = (
    BLUE,
    ORANGE,
    GREEN,
    VERMILION,
    SKY,
    "#cc79a7",
    "#e8d800",
    "#5e3c99",
    "#8c510a",
    "#01665e",
    "#c51b7d",
    "#a6c96a",
)


@dataclass(frozen=True)
class Answer:
    """Of a search in a space that is known.

    Attributes:
        supernetwork: of the space.
        choices: an index for each group.
    """

    supernetwork: Supernetwork
    choices: Mapping[str, int]


def answer_of(
    record: DifferentiableRecord | PruningRecord, space: SearchSpace | None = None
) -> Answer | None:
    """The answer so far; None where the space is somebody's own and not given.

    Raises:
        ValueError: `space` is another one than the record's, or does not have its architecture.
    """
    if space is None:
        try:
            space = space_of_file(record.space)
        except ValueError:
            return None
    elif str(space) != record.space:
        raise ValueError(f"--space {space}: the search was in {record.space}")
    supernetwork = space.supernetwork()
    return Answer(supernetwork, supernetwork.choices(space.parse(record.architecture)))


@dataclass(frozen=True)
class Facts:
    """Costs of the answer by metric, and its skips; None where the space is not known."""

    costs: Mapping[str, float]
    skips: int | None


def facts_of(record: DifferentiableRecord, answer: Answer | None) -> Facts:
    """What is known of the answer."""
    skips = None if answer is None else count_skips(answer.supernetwork, answer.choices)
    return Facts(record.epochs[-1].derived_costs, skips)


def chosen_labels(record: DifferentiableRecord, answer: Answer | None) -> dict[str, tuple[str, float]]:
    """The label and the last probability of each group's choice: the answer's, or else the most probable."""
    found = {}
    for group, shares in record.epochs[-1].probabilities.items():
        choice = answer.choices[group] if answer else shares.index(max(shares))
        found[group] = (record.groups[group][choice], shares[choice])
    return found


def colours_of(groups: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """A colour for each label, the same in all groups: greys for `none` and skips."""
    labels = dict.fromkeys(label for labels in groups.values() for label in labels)
    greys = {label: grey for label in labels if (grey := _grey(label))}
    others = [label for label in labels if label not in greys]
    return greys | {label: _COLOURS[i % len(_COLOURS)] for i, label in enumerate(others)}


def _grey(label: str) -> str:
    return _NONE if label == "none" else GREY if label in ("skip", "skip_connect") else ""
