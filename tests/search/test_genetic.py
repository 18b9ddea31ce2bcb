"""The evolutionary search of once-for-all and MCUNet."""

from dataclasses import dataclass, field

import pytest

from hwnas.objectives import Constraint, MetricError, Objective
from hwnas.search import GeneticSearch
from hwnas.search.screen import Screen
from hwnas.search.strategies.candidates import UNDEFINED_TRIES
from tests.search.toy import Toy


@dataclass(frozen=True)
class Sum:
    """The sum of an architecture's choices; undefined where the first is the second."""

    name: str = "sum"
    unit: str = ""
    higher_is_better: bool = False
    expensive: bool = False
    partly_undefined: bool = False

    def __call__(self, architecture):
        if self.partly_undefined and architecture.encoding[0] == 1:
            raise MetricError("undefined")
        return float(sum(architecture.encoding))


OBJECTIVE = Objective("value", (Constraint("sum", 12),))


def searched(trials, *, screen=True, metric=None, **settings):
    strategy = GeneticSearch(Toy(), OBJECTIVE, **{"population": 10, "parents": 4, **settings})
    if screen:
        strategy.screen = Screen(OBJECTIVE, {"sum": metric or Sum()})
    found = []
    while len(found) < trials:
        proposal = strategy.ask()
        assert proposal is not None
        encoding = proposal.architecture.encoding
        strategy.tell(proposal, {"sum": float(sum(encoding)), "value": float(encoding[0] + encoding[1])})
        found.append(encoding)
    return found


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"population": 1}, "population"),
        ({"parents": 1}, "parents"),
        ({"population": 10, "parents": 11}, "parents"),
        ({"mutation": 0.0}, "mutation"),
        ({"mutation": 1.5}, "mutation"),
    ],
)
def test_settings_that_do_not_fit(settings, says):
    with pytest.raises(ValueError, match=says):
        GeneticSearch(Toy(), OBJECTIVE, **settings)


def test_nothing_that_breaks_a_cheap_constraint_is_proposed_and_nothing_twice():
    found = searched(80)
    assert all(sum(encoding) <= 12 for encoding in found)
    assert len(set(found)) == len(found)
    assert any(sum(encoding) > 12 for encoding in searched(80, screen=False))


def test_an_undefined_metric_is_no_feasible_one():
    assert all(encoding[0] != 1 for encoding in searched(60, metric=Sum(partly_undefined=True)))


@dataclass(frozen=True)
class Asked(Sum):
    """Undefined, and keeps count; expensive or not."""

    expensive: bool = False
    times: list = field(default_factory=list)

    def __call__(self, architecture):
        self.times.append(architecture)
        raise MetricError("undefined")


def test_little_is_drawn_where_a_metric_is_undefined_everywhere():
    metric = Asked()
    assert len(set(searched(30, metric=metric))) == 30
    assert len(metric.times) <= 30 * UNDEFINED_TRIES


def test_expensive_metrics_are_not_asked_of_candidates():
    metric = Asked(expensive=True)
    searched(30, metric=metric)
    assert not metric.times


def test_the_best_breed():
    found = searched(120, seed=3)
    value = [encoding[0] + encoding[1] for encoding in found]
    assert sum(value[-30:]) > sum(value[:30])
    assert max(value) == 8


def test_the_next_generation_waits_for_the_one_before():
    strategy = GeneticSearch(Toy(), OBJECTIVE, population=4, parents=2)
    proposals = [strategy.ask() for _ in range(4)]
    assert strategy.ask() is None
    for proposal in proposals:
        strategy.tell(proposal, {"sum": 1.0, "value": 1.0})
    assert strategy.ask() is not None


def test_where_nothing_is_feasible_the_nearest_is_proposed():
    impossible = Objective("value", (Constraint("sum", 1e-6),))
    strategy = GeneticSearch(Toy(), impossible, population=4, parents=2)
    strategy.screen = Screen(impossible, {"sum": Sum()})
    first = strategy.ask()
    assert first is not None and sum(first.architecture.encoding) <= 6


def test_the_same_seed_asks_the_same():
    assert searched(40, seed=5) == searched(40, seed=5)
    assert searched(40, seed=5) != searched(40, seed=6)
