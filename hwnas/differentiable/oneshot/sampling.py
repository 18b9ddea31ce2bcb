"""Which networks of a supernet are trained in a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np

from hwnas.spaces.supernetwork import Supernetwork

Choices: TypeAlias = Mapping[str, int]
"""By group the index of a choice: one network of a supernetwork."""

Enabled: TypeAlias = Mapping[str, tuple[int, ...]]
"""By group the indices of the choices that may be drawn, from the smallest choice to the largest."""

ORDER = ("kernel", "depth", "expansion")
AT_ONCE = "kernel"
BETWEEN = 2
"""Networks of a step beside the largest and the smallest (Yu and Huang, 2019: four in all)."""


class Sampling(Protocol):
    """Draws the networks of a step."""

    def __call__(self, epoch: int, rng: np.random.Generator) -> list[Choices]:
        """At least one; the first one teaches the others. Epochs count from 1."""


class UniformPaths:
    """One architecture of the space, each as likely.

    Guo et al., "Single Path One-Shot Neural Architecture Search with Uniform Sampling", ECCV 2020. Li and
    Talwalkar, "Random Search and Reproducibility for Neural Architecture Search", UAI 2019, train alike, and
    then score random architectures with the shared weights.
    """

    def __init__(self, supernetwork: Supernetwork) -> None:
        self.supernetwork = supernetwork

    def __call__(self, epoch: int, rng: np.random.Generator) -> list[Choices]:
        """One network."""
        return [self.supernetwork.choices(self.supernetwork.space.random(rng))]


class Sandwich:
    """The largest network of what is enabled, the smallest, and `BETWEEN` random ones.

    Yu and Huang, "Universally Slimmable Networks and Improved Training Techniques", ICCV 2019, section 3.

    Args:
        stages: what is enabled, one after the other, for equal parts of the training.
        epochs: of the training.

    Raises:
        ValueError: there are fewer epochs than stages.
    """

    def __init__(self, stages: Sequence[Enabled], epochs: int) -> None:
        if epochs < len(stages):
            raise ValueError(f"epochs must be at least {len(stages)}, one for each stage, got {epochs}")
        self.stages, self.epochs = stages, epochs

    def enabled(self, epoch: int) -> Enabled:
        """What may be drawn in an epoch, counted from 1."""
        return self.stages[(epoch - 1) * len(self.stages) // self.epochs]

    def __call__(self, epoch: int, rng: np.random.Generator) -> list[Choices]:
        """Up to four networks, no two with the same choices."""
        enabled = self.enabled(epoch)
        drawn: list[Choices] = [
            {group: choices[end] for group, choices in enabled.items()} for end in (-1, 0)
        ]
        for _ in range(BETWEEN):
            drawn.append({group: int(rng.choice(choices)) for group, choices in enabled.items()})
        return list({tuple(choices.values()): choices for choices in drawn}.values())


def shrinking_stages(enabled: Enabled) -> list[Enabled]:
    """The largest choices alone; then one kind of decision after the other with all that is `enabled`.

    Kernels, depths, expansions, then other kinds: all kernels at once, of others one more choice in each
    stage, from large to small. This is progressive shrinking (Cai et al., ICLR 2020, section 3.3).
    """
    kinds = sorted(dict.fromkeys(map(_kind, enabled)), key=lambda kind: (*ORDER, kind).index(kind))
    counts = dict.fromkeys(kinds, 1)
    stages = [counts]
    for kind in kinds:
        all_of_it = max(len(choices) for group, choices in enabled.items() if _kind(group) == kind)
        for count in [all_of_it] if kind == AT_ONCE else range(2, all_of_it + 1):
            counts = {**counts, kind: count}
            stages.append(counts)
    return [
        {group: choices[-counts[_kind(group)] :] for group, choices in enabled.items()} for counts in stages
    ]


def by_size(supernetwork: Supernetwork) -> Enabled:
    """All choices of each group in the order of their numbers.

    Raises:
        ValueError: a group's choices are no numbers.
    """
    return {group: _ordered(supernetwork, group) for group in supernetwork.groups}


def _ordered(supernetwork: Supernetwork, group: str) -> tuple[int, ...]:
    space = supernetwork.space
    values = space.choices[space.position(group)] if group in space.decisions else ()
    numbers = [value for value in values if isinstance(value, int | float)]
    if not numbers or len(numbers) < len(values):
        labels = ", ".join(supernetwork.groups[group])
        raise ValueError(
            f"{group} of space {space.name} has no largest and smallest choice among {labels}: use "
            "sampling=uniform"
        )
    return tuple(sorted(range(len(numbers)), key=numbers.__getitem__))


def _kind(group: str) -> str:
    """`kernel` of `kernel_1_2`."""
    return group.partition("_")[0]
