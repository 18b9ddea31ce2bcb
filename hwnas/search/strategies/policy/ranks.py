"""Scores without a scale as fractions: how many of those seen are lower."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort


class RunningRank:
    """The share of the scores so far that a score exceeds; in (0, 1), ties counted half."""

    def __init__(self) -> None:
        self._seen: list[float] = []

    def of(self, score: float) -> float:
        """Of `score` among those before it and itself."""
        insort(self._seen, score)
        lower, upper = bisect_left(self._seen, score), bisect_right(self._seen, score)
        return (lower + upper) / 2 / len(self._seen)
