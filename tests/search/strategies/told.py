"""The loop of a search without its folder: ask, look up, tell."""

from collections import deque

from hwnas.objectives import Constraint, Objective
from hwnas.search.screen import Screen
from tests.search.toy import Cost, Toy, Value

SUM = Objective("value")
BOUNDED = Objective("value", (Constraint("cost", 10.0),))
"""On the toy space the best has all decisions 3 and a value of 18.03."""


class Sum(Value):
    """The toy's value under another name: a perfect proxy that costs nothing."""

    def __init__(self, name="proxy", *, higher_is_better=True):
        super().__init__(name=name, higher_is_better=higher_is_better, expensive=False)

    def __call__(self, architecture):
        value = super().__call__(architecture)
        return value if self.higher_is_better else -value


def metrics_of(proposal):
    """Of an architecture of the toy space; expensive ones only within the bound of the cost."""
    cost = Cost()(proposal.architecture)
    values = {"cost": cost}
    if cost <= 10.0 or proposal.maximize != "value":
        values[proposal.maximize] = Value()(proposal.architecture)
    return values


def metrics_without_bound(proposal):
    return {"cost": Cost()(proposal.architecture), proposal.maximize: Value()(proposal.architecture)}


def searched(strategy, metrics=metrics_without_bound, *, trials=200, ahead=1, screen=None):
    """`trials` proposals with their metrics, or fewer where the strategy ends; `ahead` at most under way."""
    strategy.screen = screen
    waiting, done, asked = deque(), [], 0
    while len(done) < trials:
        while asked < trials and len(waiting) < ahead:
            proposal = strategy.ask()
            if proposal is None:
                break
            waiting.append(proposal)
            asked += 1
        if not waiting:
            break
        proposal = waiting.popleft()
        values = metrics(proposal)
        strategy.tell(proposal, values)
        done.append((proposal, values))
    return done


def best(done, objective=SUM):
    """The best architecture's encoding."""
    own = [
        (objective.fitness(values), p.architecture.encoding) for p, values in done if p.maximize == "value"
    ]
    return max(own)[1]


def evaluated(done):
    """The encodings evaluated by the objective, in order."""
    return [proposal.architecture.encoding for proposal, _ in done if proposal.maximize == "value"]


def toy_screen(objective=BOUNDED, **metrics):
    return Screen(objective, {"cost": Cost(), "value": Value(), "proxy": Sum(), **metrics})


__all__ = ["BOUNDED", "SUM", "Sum", "Toy", "best", "evaluated", "metrics_of", "searched", "toy_screen"]
