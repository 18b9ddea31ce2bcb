"""What holds for each of the predictor-guided strategies."""

from dataclasses import dataclass

import pytest

from hwnas.objectives import Constraint, Objective
from hwnas.search import STRATEGIES, Events, load, run
from hwnas.search.strategies import BANANAS, BRPNAS, BayesianOptimization
from tests.search.strategies.told import (
    BOUNDED,
    SUM,
    Sum,
    best,
    evaluated,
    metrics_of,
    metrics_without_bound,
    searched,
    toy_screen,
)
from tests.search.toy import Cost, Toy, Value

KINDS = {"bayesian": BayesianOptimization, "bananas": BANANAS, "brp_nas": BRPNAS}
each = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


class Wide(Toy):
    """Too large to be gone through: 5 to the power of 10."""

    name = "wide"
    decisions = {f"d{i}": tuple(range(5)) for i in range(10)}


def test_are_registered_by_their_names():
    assert {name: STRATEGIES[name] for name in KINDS} == KINDS


@each
@pytest.mark.parametrize("ahead", [1, 8])
def test_finds_the_best_of_a_toy_space_with_few_networks(kind, ahead):
    done = searched(kind(Toy(), SUM, seed=0), trials=60, ahead=ahead)
    assert best(done) == (4,) * 6
    assert len(set(evaluated(done))) == 60


@each
def test_a_screened_bound_is_never_broken(kind):
    done = searched(kind(Toy(), BOUNDED, seed=1), metrics_of, trials=60, ahead=8, screen=toy_screen())
    assert best(done, BOUNDED) == (3,) * 6
    assert all(values["cost"] <= 10 for _, values in done)


@each
def test_a_bound_that_only_results_tell_is_learned(kind):
    done = searched(kind(Toy(), BOUNDED, seed=2), metrics_of, trials=90, ahead=8)
    kept = [values["cost"] <= 10 for _, values in done]
    assert sum(kept) > 1.5 * 0.8**6 * len(kept)
    assert sum(best(done, BOUNDED)) >= 17


@each
def test_a_large_space_is_searched_by_a_pool(kind):
    done = searched(kind(Wide(), SUM, seed=0), trials=70, ahead=8)
    assert sum(best(done)) >= 36
    assert len(set(evaluated(done))) == 70


@each
def test_a_perfect_proxy_needs_fewer_networks(kind):
    done = searched(kind(Toy(), SUM, proxies=["proxy"], seed=0), trials=20, screen=toy_screen(SUM))
    assert best(done) == (4,) * 6
    assert min(sum(encoding) for encoding in evaluated(done)[:10]) >= 14


@pytest.mark.parametrize("name", KINDS)
def test_a_run_says_that_it_computes_the_proxies_beforehand(name, tmp_path):
    steps = []
    run(
        Toy(),
        maximize="value",
        metrics={"value": Value(), "proxy": Sum()},
        strategy=name,
        strategy_settings={"proxies": "proxy"},
        budget=2,
        folder=tmp_path,
        events=Events(step=steps.append),
    )
    assert steps[0] == "computing proxy of the candidates"


@dataclass(frozen=True)
class Dear(Value):
    """An expensive proxy that is never computed by the strategy itself."""

    name: str = "dear"

    def __call__(self, architecture):
        raise AssertionError("a strategy computes no expensive proxy")


DEAR = {"dear": Dear(), "other": Dear("other")}


@each
@pytest.mark.parametrize("ahead", [1, 8])
def test_expensive_proxies_are_proposed_by_their_names_and_none_twice(kind, ahead):
    strategy = kind(Toy(), SUM, proxies=["dear", "proxy", "other"], scored=40, relatives=3, initial=4, seed=0)
    done = searched(strategy, trials=2 * 40 + 10 + 2 * 30 + 10, ahead=ahead, screen=toy_screen(SUM, **DEAR))
    asked = [proposal.maximize for proposal, _ in done]
    assert asked == 40 * ["dear", "other"] + 10 * ["value"] + 30 * ["dear", "other"] + 10 * ["value"]
    for name in ("dear", "other", "value"):
        mine = [p.architecture for p, _ in done if p.maximize == name]
        assert len(set(mine)) == len(mine)
    scored = {p.architecture for p, _ in done if p.maximize == "dear"}
    assert {p.architecture for p, _ in done if p.maximize == "value"} <= scored


@each
def test_a_perfect_expensive_proxy_chooses_the_first_design(kind):
    strategy = kind(Toy(), SUM, proxies="dear", scored=50, initial=10, seed=1)
    done = searched(strategy, trials=60, screen=toy_screen(SUM, **DEAR))
    scores = sorted((sum(p.architecture.encoding) for p, _ in done[:50]), reverse=True)
    assert min(sum(encoding) for encoding in evaluated(done)) >= scores[18]


@each
def test_relatives_of_the_best_lead_to_the_best(kind):
    strategy = kind(Wide(), SUM, proxies="dear", scored=50, relatives=10, initial=10, seed=0)
    done = searched(strategy, trials=50 + 9 * 110, screen=toy_screen(SUM, **DEAR))
    assert sum(best(done)) >= 36


@each
def test_undefined_scores_of_an_expensive_proxy_stop_nothing(kind):
    strategy = kind(Toy(), BOUNDED, proxies="dear", scored=20, relatives=1, initial=4, seed=0)

    def undefined(proposal):
        values = metrics_of(proposal)
        return {"cost": values["cost"]} if proposal.maximize == "dear" else values

    done = searched(strategy, undefined, trials=100, ahead=8, screen=toy_screen(**DEAR))
    assert len(done) == 100
    assert len(set(evaluated(done))) == len(evaluated(done)) > 40


@each
def test_ends_where_the_space_does(kind):
    class Tiny(Toy):
        decisions = {f"d{i}": tuple(range(3)) for i in range(3)}

    done = searched(kind(Tiny(), SUM, seed=0), trials=100, ahead=8)
    assert len(set(evaluated(done))) == len(done) == 27


@each
def test_asks_on_where_no_result_is_defined(kind):
    done = searched(kind(Toy(), SUM, seed=0), lambda proposal: {"cost": 1.0}, trials=30, ahead=8)
    assert len(set(evaluated(done))) == 30


@each
@pytest.mark.filterwarnings("error")
def test_the_unit_of_the_values_changes_nothing_however_large(kind):
    def in_unit(unit):
        def told(proposal):
            values = metrics_without_bound(proposal)
            return {"cost": values["cost"], "value": (values["value"] - 9) * unit}

        done = searched(kind(Toy(), BOUNDED, seed=0), told, trials=40, ahead=4)
        return evaluated(done)

    assert in_unit(2.0**1019) == in_unit(2.0**-1000) == in_unit(1.0)


@each
@pytest.mark.filterwarnings("error")
def test_costs_far_beyond_a_bound_that_only_results_tell(kind):
    def told(proposal):
        values = metrics_without_bound(proposal)
        return {"cost": 1e308 if proposal.architecture.encoding[0] else 0.0, "value": values["value"]}

    objective = Objective("value", (Constraint("cost", 2.0),))
    done = searched(kind(Toy(), objective, seed=0), told, trials=40)
    assert sum(values["cost"] == 0 for _, values in done[20:]) >= 8


@each
def test_where_nothing_keeps_a_cheap_bound_the_search_goes_on(kind):
    objective = Objective("value", (Constraint("cost", 0.5),))
    screen = toy_screen(objective)
    done = searched(kind(Toy(), objective, seed=0), metrics_of, trials=30, screen=screen)
    assert len(done) == 30


@each
@pytest.mark.parametrize("space", [Toy(), Wide()], ids=["small", "large"])
def test_the_same_seed_asks_the_same_and_another_seed_does_not(kind, space):
    def asked(seed):
        strategy = kind(space, BOUNDED, proxies=["proxy"], seed=seed)
        done = searched(strategy, metrics_of, trials=20, ahead=8, screen=toy_screen())
        return [proposal for proposal, _ in done]

    assert asked(3) == asked(3)
    assert asked(3) != asked(4)


@each
def test_settings_are_plain_and_make_the_same_again(kind):
    strategy = kind(Toy(), SUM, initial=5, proxies="proxy", seed=4)
    assert strategy.settings()["proxies"] == ["proxy"]
    again = kind(Toy(), SUM, seed=4, **strategy.settings())
    assert searched(again, trials=30, screen=toy_screen()) == searched(
        strategy, trials=30, screen=toy_screen()
    )


@each
def test_a_run_that_is_left_and_resumed_equals_one_that_is_not(kind, tmp_path):
    def trials(folder, budget):
        run(
            Toy(),
            maximize="value",
            subject_to=["cost <= 10"],
            metrics={"value": Value(), "cost": Cost(), "proxy": Sum()},
            strategy=next(name for name in KINDS if KINDS[name] is kind),
            strategy_settings={"proxies": ["proxy"]},
            budget=budget,
            seed=3,
            folder=folder,
            candidates=1,
        )
        found = load(folder, Toy()).record.trials
        return [(trial.architecture, trial.status, dict(trial.metrics)) for trial in found]

    whole = trials(tmp_path / "whole", 40)
    assert trials(tmp_path / "left", 23) == whole[:23]
    assert trials(tmp_path / "left", 40) == whole
    assert all(status == "complete" for _, status, _ in whole)


@each
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"initial": 1}, "initial must be from 2"),
        ({"scored": 1}, "scored must be from 2"),
        ({"relatives": 0}, "relatives must be from 1"),
        ({"proxies": ["value"]}, "none value"),
        ({"proxies": ["proxy", "proxy"]}, "different"),
    ],
)
def test_settings_that_do_not_fit(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind(Toy(), SUM, **settings)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (BANANAS, {"every": 0}, "every must be at least 1"),
        (BRPNAS, {"every": 0}, "every must be at least 1"),
        (BRPNAS, {"alpha": 0.0}, "alpha must be above 0"),
        (BRPNAS, {"alpha": 1.5}, "alpha must be above 0"),
        (BRPNAS, {"model": "tree"}, "model must be one of gcn, mlp, not 'tree'"),
    ],
)
def test_settings_of_their_own_that_do_not_fit(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind(Toy(), SUM, **settings)


@each
def test_an_unknown_proxy_is_named(kind):
    with pytest.raises(ValueError, match="synflo"):
        kind(Toy(), SUM, proxies=["synflo"]).ask()
