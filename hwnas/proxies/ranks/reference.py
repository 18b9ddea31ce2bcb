"""The ranks of one network within a population that is kept."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from hwnas.files import write_whole
from hwnas.proxies.ranks.ranking import Scores, columns_of
from hwnas.proxies.registry import get

_LARGEST = 1 << 26


@dataclass(frozen=True)
class ReferencePopulation:
    """What a sample of a space scores by several proxies: a ruler for single networks.

    A proxy that is undefined for the whole population orders nothing: every value of it ranks in the middle.

    Attributes:
        scores: for each proxy, the finite scores of the population in ascending order, higher being better
            (those of proxies of which lower is better change their sign).
        size: of the population, undefined scores included.
    """

    scores: Mapping[str, tuple[float, ...]]
    size: int

    @classmethod
    def of(cls, scores: Scores, proxies: Sequence[str]) -> ReferencePopulation:
        """The population of n networks with these scores, (n,) by proxy.

        Raises:
            ValueError: a proxy is missing, or the scores have not the same length.
        """
        columns = columns_of(scores, proxies)
        finite = {name: np.sort(column[np.isfinite(column)]) for name, column in columns.items()}
        kept = {name: tuple(values.tolist()) for name, values in finite.items()}
        return cls(kept, len(next(iter(columns.values()))))

    @property
    def undefined(self) -> tuple[str, ...]:
        """The proxies that are undefined for the whole population."""
        return tuple(name for name, values in self.scores.items() if not values)

    def rank(self, proxy: str, value: float) -> float:
        """The place of a value in the population, as a fraction in (0, 1): linear between two scores.

        Equal scores share the mean of their places, undefined ones too, below all that are defined.

        Raises:
            ValueError: the population has no scores by this proxy.
        """
        if proxy not in self.scores:
            raise ValueError(f"reference population: {proxy} is missing; it has {', '.join(self.scores)}")
        values = self.scores[proxy]
        turned = value if get(proxy).higher_is_better else -value
        undefined = self.size - len(values)
        if not values:
            return 0.5
        if math.isnan(turned) or turned == -math.inf:
            return (undefined / 2 + 0.25) / (self.size + 1)
        distinct, first, count = np.unique(values, return_index=True, return_counts=True)
        places = first + (count + 1) / 2
        below = float(np.interp(turned, distinct, places, left=0.5, right=len(values) + 0.5))
        return (undefined + below) / (self.size + 1)

    def save(self, path: Path) -> None:
        """Write it as JSON; raises OSError where that fails."""
        content = {"size": self.size, "scores": {name: list(v) for name, v in self.scores.items()}}
        write_whole(path, json.dumps(content, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: Path) -> ReferencePopulation:
        """Read what `save` wrote.

        Raises:
            OSError: there is no such file.
            ValueError: it is no reference population, or names an unknown proxy.
        """
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"{path}: larger than {_LARGEST} bytes")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            size = int(content["size"])
            scores = {str(name): tuple(map(float, values)) for name, values in content["scores"].items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"{path} is no reference population: {error}") from None
        for name, values in scores.items():
            get(name)
            ascending = all(a <= b for a, b in pairwise(values))
            if not len(values) <= size or not ascending or not all(map(math.isfinite, values)):
                raise ValueError(
                    f"{path}: the scores of {name} are no ascending, finite numbers of a population"
                )
        return cls(scores, size)
