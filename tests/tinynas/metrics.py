"""Limits that need no runtime: counts of a network, and one that is expensive."""

from dataclasses import dataclass

from hwnas.cost import count
from hwnas.objectives import MetricError


@dataclass(frozen=True)
class Count:
    """A count of the whole network."""

    name: str = "params"
    unit: str = ""
    higher_is_better: bool = False
    expensive: bool = False

    def __call__(self, architecture):
        return float(getattr(count(architecture.network).whole, self.name))


class Refusing(Count):
    """Undefined for every network."""

    def __call__(self, architecture):
        raise MetricError("no such operator")


class Counting(Count):
    """Keeps the architectures that it was asked of."""

    asked = []

    def __call__(self, architecture):
        self.asked.append((architecture, architecture.network))
        return super().__call__(architecture)
