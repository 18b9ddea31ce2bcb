"""NSGA-II as a strategy: settings, fronts of the toy space, and pymoo's on the same problem."""

import numpy as np
import pytest

from hwnas.objectives import Constraint, Objective
from hwnas.objectives.pareto import non_dominated
from hwnas.search.records import Trial
from hwnas.search.strategies import NSGA2, front
from tests.search.strategies.told import BOUNDED, SUM, Sum, Toy, searched
from tests.search.toy import Cost, Value

COST = ["cost"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "needs costs"),
        ({"costs": []}, "needs costs"),
        ({"costs": ["value"]}, "cannot be among the costs"),
        ({"costs": COST, "population": 3}, "population"),
        ({"costs": COST, "crossover": 1.5}, "crossover"),
    ],
)
def test_settings_that_do_not_fit(settings, says):
    with pytest.raises(ValueError, match=says):
        NSGA2(Toy(), SUM, **settings)


def test_the_costs_are_those_of_the_constraints_where_none_are_named():
    bounded = Objective("value", (Constraint("cost", 10), Constraint("params", 1e6)))
    assert NSGA2(Toy(), bounded).settings()["costs"] == ["cost", "params"]
    assert NSGA2(Toy(), bounded, costs="cost,flops").settings()["costs"] == ["cost", "flops"]


def test_a_cost_that_nothing_computes_is_named():
    with pytest.raises(ValueError, match="energy_mj, which is no metric"):
        NSGA2(Toy(), SUM, costs=["energy_mj"]).check({"value": Value()})


def test_a_cost_of_which_more_is_better_is_refused():
    with pytest.raises(ValueError, match="of proxy more is better"):
        NSGA2(Toy(), SUM, costs=["proxy"]).check({"proxy": Sum()})


def test_an_expensive_cost_is_refused_unless_it_is_bounded_and_so_computed():
    metrics = {"value": Value(), "cost": Cost(expensive=True)}
    with pytest.raises(ValueError, match="add a constraint, 'cost <= NUMBER'"):
        NSGA2(Toy(), SUM, costs=COST).check(metrics)
    NSGA2(Toy(), BOUNDED, costs=COST).check(metrics)


def test_a_cost_without_a_value_makes_a_member_the_worst():
    def metrics(proposal):
        encoding = proposal.architecture.encoding
        return {"value": float(sum(encoding)), **({} if encoding[0] > 1 else {"cost": 1.0})}

    done = searched(NSGA2(Toy(), SUM, costs=COST, population=20), metrics, trials=400)
    assert np.mean(["cost" in values for _, values in done[-100:]]) > 0.7


def test_the_next_generation_waits_for_the_one_before():
    strategy = NSGA2(Toy(), SUM, costs=COST, population=4)
    proposals = [strategy.ask() for _ in range(4)]
    assert strategy.ask() is None
    for proposal in proposals:
        strategy.tell(proposal, {"cost": 1.0, "value": 1.0})
    assert strategy.ask() is not None


WEIGHTS = np.random.default_rng(7).normal(size=(2, 6, 5))


def both_costs(encoding):
    """Two conflicting sums over the decisions, with an interaction in the second."""
    a, b = (WEIGHTS[k][range(6), encoding].sum() for k in (0, 1))
    return float(a), float(b - 0.5 * a + 0.3 * (encoding[0] == encoding[5]))


def hypervolume(costs, reference=(10.0, 10.0)):
    """Area that the front of `[n, 2]` dominates below the reference."""
    area, ceiling = 0.0, reference[1]
    for first, second in np.asarray(costs)[non_dominated(np.asarray(costs))]:
        area += (reference[0] - first) * max(0.0, ceiling - second)
        ceiling = min(ceiling, second)
    return area


def ours(seed, trials):
    def metrics(proposal):
        first, second = both_costs(proposal.architecture.encoding)
        return {"value": -first, "cost": second}

    done = searched(NSGA2(Toy(), SUM, costs=COST, population=20, seed=seed), metrics, trials=trials)
    return [(-values["value"], values["cost"]) for _, values in done]


def pymoos(seed, trials):
    from pymoo.algorithms.moo.nsga2 import NSGA2 as PYMOO_NSGA2
    from pymoo.core.problem import ElementwiseProblem
    from pymoo.operators.crossover.ux import UniformCrossover
    from pymoo.operators.mutation.rm import ChoiceRandomMutation
    from pymoo.operators.sampling.rnd import IntegerRandomSampling
    from pymoo.optimize import minimize

    seen = []

    class Problem(ElementwiseProblem):
        def __init__(self):
            super().__init__(n_var=6, n_obj=2, xl=0, xu=4, vtype=int)
            self.vars = None

        def _evaluate(self, x, out, *args, **kwargs):
            seen.append(both_costs([int(v) for v in x]))
            out["F"] = seen[-1]

    class Redraw(ChoiceRandomMutation):
        def _do(self, problem, x, random_state=None, **kwargs):
            changed = random_state.random(x.shape) < 1 / 6
            return np.where(changed, random_state.integers(0, 5, x.shape), x)

    algorithm = PYMOO_NSGA2(
        pop_size=20,
        sampling=IntegerRandomSampling(),
        crossover=UniformCrossover(prob=0.9),
        mutation=Redraw(),
        eliminate_duplicates=True,
    )
    minimize(Problem(), algorithm, ("n_eval", trials), seed=seed, verbose=False)
    return seen


@pytest.fixture(scope="module")
def everything():
    return [both_costs(architecture.encoding) for architecture in Toy()]


def test_finds_the_front_of_the_toy_space(everything):
    truth = {everything[i] for i in non_dominated(np.array(everything))}
    assert len(truth & set(ours(seed=0, trials=1500))) >= 0.9 * len(truth)


def test_covers_as_much_as_pymoos(everything):
    pytest.importorskip("pymoo", reason="pymoo is a dev extra")
    whole = hypervolume(everything)
    mine, theirs = (
        np.mean([hypervolume(run(seed, 300)) for seed in range(10)]) / whole for run in (ours, pymoos)
    )
    random = hypervolume([both_costs(a.encoding) for a in Toy().sample(300, seed=0)]) / whole
    assert mine > theirs - 0.01
    assert mine > random + 0.05


def test_the_front_of_what_it_found_within_a_bound():
    bounded = Objective("value", (Constraint("cost", 10.0),))
    done = searched(NSGA2(Toy(), bounded, population=30), trials=900, ahead=8)
    known = [Trial(i, str(p.architecture), "complete", values) for i, (p, values) in enumerate(done)]
    found = front(known, bounded, COST)
    assert found[-1].architecture == str(Toy().from_encoding([3] * 6))
    assert all(trial.metrics["cost"] <= 10 for trial in found)
