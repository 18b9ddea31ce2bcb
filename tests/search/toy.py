"""A tiny space with a known answer, and metrics that count their calls or misbehave."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hwnas.network import Builder
from hwnas.objectives import MetricError
from hwnas.spaces import SearchSpace


class Toy(SearchSpace):
    name = "toy"
    decisions = {f"d{i}": tuple(range(5)) for i in range(6)}

    def network(self, architecture):
        b = Builder()
        x = b.input(3, 8, 8)
        return b.build(b.linear(b.global_average_pool(b.conv(x, 1 + architecture["d0"])), 2))

    def __str__(self):
        return "tests.search.toy:Toy"


@dataclass(frozen=True)
class Value:
    """The sum of the decisions, or something derived from it."""

    name: str = "value"
    unit: str = ""
    higher_is_better: bool = True
    expensive: bool = True
    log: str | None = None
    undefined_at: int = -1

    def __call__(self, architecture):
        total = sum(architecture.encoding)
        if self.log:
            with Path(self.log).open("a") as file:
                file.write(f"{architecture}\n")
        if total == self.undefined_at:
            raise MetricError(f"undefined at {total}")
        return float(total) + 0.01 * architecture.encoding[0]


@dataclass(frozen=True)
class Cost:
    """The greatest decision squared."""

    name: str = "cost"
    unit: str = ""
    higher_is_better: bool = False
    expensive: bool = False

    def __call__(self, architecture):
        return float(max(architecture.encoding) ** 2) + 1


@dataclass(frozen=True)
class Slow(Value):
    """A value that takes a while, so that a process can be killed in the middle."""

    seconds: float = 0.01

    def __call__(self, architecture):
        import time

        time.sleep(self.seconds)
        return super().__call__(architecture)


@dataclass(frozen=True)
class Buggy:
    """A metric with a bug in it."""

    name: str = "value"
    unit: str = ""
    higher_is_better: bool = True
    expensive: bool = True

    def __call__(self, architecture):
        return np.zeros(3)["nonsense"]
