"""Small spaces with a known answer, and a loop that looks results up."""

from collections import deque

import numpy as np

from hwnas.objectives import Objective
from hwnas.spaces import SearchSpace

ACCURACY = Objective("accuracy")
ANSWER = (2, 0, 1)


class Small(SearchSpace):
    """Three decisions of three choices."""

    name = "small"
    decisions = {f"d{i}": (0, 1, 2) for i in range(3)}

    def network(self, architecture):
        raise AssertionError("no network is needed")


class Deep(Small):
    """The layers beyond `depth` have no effect."""

    name = "deep"
    decisions = {"depth": (0, 1, 2), "first": (0, 1, 2), "second": (0, 1, 2)}

    def effective(self, encoding):
        return tuple(index if layer <= encoding[0] else 0 for layer, index in enumerate(encoding))


class Even(Small):
    """Only choices that add up to an even number."""

    name = "even"

    def is_valid(self, architecture):
        return sum(architecture.encoding) % 2 == 0


def likeness(encoding, answer=ANSWER):
    """The share of the decisions that are right."""
    return sum(a == b for a, b in zip(encoding, answer, strict=True)) / len(answer)


def accuracy_of(architecture):
    return {"accuracy": likeness(architecture.encoding)}


def searched(strategy, evaluate=accuracy_of, *, steps, ahead=1):
    """The proposals of `steps` steps with `ahead` of them under way, each with what was told."""
    waiting, done = deque(), []
    while len(done) < steps:
        while len(waiting) < ahead:
            waiting.append(strategy.ask())
        proposal = waiting.popleft()
        metrics = evaluate(proposal.architecture)
        strategy.tell(proposal, metrics)
        done.append((proposal, metrics))
    return done


def finite_differences(function, array, step=1e-6):
    """The gradient of `function()` by the finite entries of `array`, which it reads."""
    gradient = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        if np.isfinite(array[index]):
            kept = array[index]
            array[index] = kept + step
            above = function()
            array[index] = kept - step
            below = function()
            array[index] = kept
            gradient[index] = (above - below) / (2 * step)
    return gradient
