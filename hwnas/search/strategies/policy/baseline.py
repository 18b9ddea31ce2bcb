"""The baseline of policy gradients: a moving average of the rewards."""

from __future__ import annotations


class Baseline:
    """An exponential moving average, corrected for its start at 0: the first value is the first reward.

    b = n/d with n ← m·n + (1-m)·r and d ← m·d + (1-m), as in the released code of NAS-Bench-201.
    """

    def __init__(self, momentum: float) -> None:
        self.momentum = momentum
        self._numerator = 0.0
        self._denominator = 0.0

    def updated(self, reward: float) -> float:
        """The average with `reward` in it, from now on."""
        self._numerator = self.momentum * self._numerator + (1 - self.momentum) * reward
        self._denominator = self.momentum * self._denominator + (1 - self.momentum)
        return self._numerator / self._denominator
