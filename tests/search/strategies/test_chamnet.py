"""ChamNet's genetic algorithm: adaptive probabilities, penalties, predictors."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.objectives import Fitness, Objective
from hwnas.search.metrics import CountMetric
from hwnas.search.screen import Screen
from hwnas.search.strategies import ChamNet
from hwnas.search.strategies.adaptive import crossover_probability, mutation_probability, penalised
from tests.search.strategies.told import BOUNDED, SUM, Toy, evaluated, metrics_of, searched, toy_screen


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"predict_by": "value"}, "predictor of value, not itself"),
        ({"population": 1}, "population"),
        ({"generations": 0}, "generations"),
    ],
)
def test_settings_that_do_not_fit(settings, says):
    with pytest.raises(ValueError, match=says):
        ChamNet(Toy(), SUM, **settings)


def test_probabilities_fall_from_the_mean_to_the_best():
    # (best - fitness) / (best - mean), times 1 for crossover and 0.5 for mutation
    assert [crossover_probability(f, 10.0, 6.0) for f in (0, 6, 7, 10)] == [1.0, 1.0, 0.75, 0.0]
    assert [mutation_probability(f, 10.0, 6.0) for f in (0, 6, 7, 10)] == [0.5, 0.5, 0.375, 0.0]


def test_a_population_of_equals_is_mutated_most():
    assert mutation_probability(3.0, 3.0, 3.0) == 0.5
    assert crossover_probability(3.0, 3.0, 3.0) == 1.0


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_they_are_probabilities(scores):
    best, mean = max(scores), math.fsum(scores) / len(scores)
    for score in scores:
        assert 0 <= crossover_probability(score, best, mean) <= 1
        assert 0 <= mutation_probability(score, best, mean) <= 0.5


def test_penalties_are_below_the_worst_feasible_score():
    fitnesses = [Fitness(2, 0.9), Fitness(2, 0.7), Fitness(1, -0.2), Fitness(1, -3.0), Fitness(0, 0.0)]
    assert penalised(fitnesses) == pytest.approx([0.9, 0.7, 0.5, -2.3, -2.3])
    assert penalised([Fitness(1, -0.2), Fitness(1, -3.0)]) == [-0.2, -3.0]
    assert penalised([Fitness(0, 0.0)]) == [0.0]


FITNESSES = st.one_of(
    st.floats(-100, 100).map(lambda score: Fitness(2, score)),
    st.floats(-100, -0.001).map(lambda score: Fitness(1, score)),
    st.just(Fitness(0, 0.0)),
)


@given(st.lists(FITNESSES, max_size=15))
def test_one_number_keeps_the_order(fitnesses):
    scores = penalised(fitnesses)
    for one, score in zip(fitnesses, scores, strict=True):
        assert all(score >= other for fitness, other in zip(fitnesses, scores, strict=True) if one > fitness)


def test_a_predictor_drives_the_generations_and_the_best_by_it_are_evaluated():
    strategy = ChamNet(Toy(), BOUNDED, predict_by="proxy", population=10, generations=5)
    done = searched(strategy, metrics_of, trials=1000, ahead=8, screen=toy_screen())
    predicted = [(p.architecture.encoding, values) for p, values in done[:50]]
    assert all(p.maximize == "proxy" for p, _ in done[:50])
    best = sorted(predicted, key=lambda one: BOUNDED.fitness(one[1], "proxy"), reverse=True)[:10]
    assert [values["proxy"] for _, values in best] == [sum(e) + 0.01 * e[0] for e in evaluated(done)]
    assert len(done) == 60


def test_a_count_that_is_maximised_rises():
    objective = Objective("params")
    screen = Screen(objective, {"params": CountMetric("params")})

    def metrics(proposal):
        return {"params": float(sum(proposal.architecture.encoding))}

    done = searched(ChamNet(Toy(), objective, population=20), metrics, trials=400, screen=screen)
    totals = [values["params"] for _, values in done]
    assert sum(totals[-100:]) > sum(totals[:100]) + 100


def test_nothing_that_breaks_a_cheap_constraint_is_proposed_and_nothing_twice():
    strategy = ChamNet(Toy(), BOUNDED, population=10)
    known = evaluated(searched(strategy, metrics_of, trials=300, screen=toy_screen()))
    assert all(max(encoding) <= 3 for encoding in known)
    assert len(set(known)) == len(known)


def test_it_gets_better():
    known = evaluated(searched(ChamNet(Toy(), SUM, population=20), trials=400))
    assert sum(map(sum, known[-100:])) > sum(map(sum, known[:100])) + 300
