"""A toy space of 64 architectures with everything recorded, and files of it."""

import numpy as np

from hwnas.objectives import Constraint, Objective
from hwnas.search.comparison import Contestant, recorded_space
from hwnas.spaces import SearchSpace

FREE = Objective("accuracy")
BOUNDED = Objective("accuracy", (Constraint("cost", 6.0),))
RANDOM = Contestant("random", "random")


class Small(SearchSpace):
    name = "small"
    decisions = {f"d{i}": tuple(range(4)) for i in range(3)}

    def network(self, architecture):
        raise NotImplementedError


class Halved(Small):
    """Of the same decisions only those architectures whose sum is even."""

    def is_valid(self, architecture):
        return sum(architecture.encoding) % 2 == 0


class Recorded:
    """A metric that a function of the encoding gives."""

    unit, expensive = "", False

    def __init__(self, name, value, higher_is_better=True):
        self.name, self.value, self.higher_is_better = name, value, higher_is_better

    def __call__(self, architecture):
        return float(self.value(*architecture.encoding))


def accuracy(a, b, c):
    """Best at (3, 2, 1), where the cost is 8; within 6 the best is at (3, 0, 1) and others of cost 6."""
    return 0.9 - 0.01 * ((a - 3) ** 2 + (b - 2) ** 2 + (c - 1) ** 2) + 0.0001 * a


def cost(a, b, c):
    return 1 + a + 1.5 * b + c


METRICS = {
    "accuracy": Recorded("accuracy", accuracy),
    "cost": Recorded("cost", cost, higher_is_better=False),
    "proxy": Recorded("proxy", lambda *e: accuracy(*e) if e[0] else np.nan),
    "seconds": Recorded("seconds", lambda *e: 10.0 + e[0], higher_is_better=False),
}

PARTS = METRICS | {
    f"accuracy@{part}": Recorded(f"accuracy@{part}", lambda *e, part=part: accuracy(*e) - 1 + part)
    for part in (1 / 9, 1 / 3)
}


def recorded(objective=FREE, space=None, metrics=METRICS):
    return recorded_space(space or Small(), objective, metrics)


def write_csv(path, space, columns):
    """A table of one's own: `columns` are functions of the encoding."""
    lines = [",".join(["architecture", *columns])]
    for one in space:
        lines.append(",".join([f'"{one}"', *(f"{value(*one.encoding)}" for value in columns.values())]))
    path.write_text("\n".join(lines) + "\n")
    return path
