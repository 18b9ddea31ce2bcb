"""What holds for each of the sample-based strategies: the known answer, determinism, bounds."""

import pytest

from hwnas.search import RegularizedEvolution
from hwnas.search.strategies import (
    AREA,
    NSGA2,
    ChamNet,
    LocalSearch,
    MoveEvolution,
    NASWOTSearch,
    WarmedRandomSearch,
)
from tests.search.strategies.told import BOUNDED, SUM, Toy, best, metrics_of, searched, toy_screen

ANSWER = (4,) * 6
BOUNDED_ANSWER = (3,) * 6

SEARCHES = {
    "evolution": lambda space, objective, seed: RegularizedEvolution(
        space, objective, population=20, seed=seed
    ),
    "area": lambda space, objective, seed: AREA(space, objective, warm_up=100, warm_up_by="proxy", seed=seed),
    "move": lambda space, objective, seed: MoveEvolution(
        space, objective, move_by="proxy", population=10, tournament=5, seed=seed
    ),
    "move with warm-up": lambda space, objective, seed: MoveEvolution(
        space,
        objective,
        move_by="proxy",
        population=10,
        tournament=5,
        warm_up=50,
        warm_up_by="proxy",
        seed=seed,
    ),
    "local_search": lambda space, objective, seed: LocalSearch(space, objective, seed=seed),
    "first improvement": lambda space, objective, seed: LocalSearch(
        space, objective, first_improvement=True, seed=seed
    ),
    "nsga2": lambda space, objective, seed: NSGA2(space, objective, costs=["cost"], population=20, seed=seed),
    "chamnet": lambda space, objective, seed: ChamNet(space, objective, population=20, seed=seed),
    "chamnet by a predictor": lambda space, objective, seed: ChamNet(
        space, objective, predict_by="proxy", seed=seed
    ),
}
OTHERS = {
    "naswot": lambda space, objective, seed: NASWOTSearch(
        space, objective, samples=50, score_by="proxy", seed=seed
    ),
    "random_warm_up": lambda space, objective, seed: WarmedRandomSearch(
        space, objective, warm_up=50, warm_up_by="proxy", seed=seed
    ),
}
EVERY = {**SEARCHES, **OTHERS}
searches = pytest.mark.parametrize("make", SEARCHES.values(), ids=SEARCHES)
every = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)


@searches
@pytest.mark.parametrize("ahead", [1, 8])
def test_finds_the_best_of_a_toy_space(make, ahead):
    done = searched(make(Toy(), SUM, 0), trials=1400, ahead=ahead)
    assert best(done) == ANSWER


@searches
@pytest.mark.parametrize("with_screen", [False, True])
def test_finds_the_best_within_a_bound(make, with_screen):
    screen = toy_screen() if with_screen else None
    done = searched(make(Toy(), BOUNDED, 0), metrics_of, trials=1500, ahead=8, screen=screen)
    assert best(done, BOUNDED) == BOUNDED_ANSWER


@every
def test_the_same_seed_asks_the_same_and_another_seed_does_not(make):
    def asked(seed):
        return [p for p, _ in searched(make(Toy(), BOUNDED, seed), metrics_of, trials=300, ahead=8)]

    assert asked(5) == asked(5)
    assert asked(5) != asked(6)


@every
def test_undefined_values_are_never_the_best(make):
    def partly_undefined(proposal):
        values = metrics_of(proposal)
        return {"cost": values["cost"]} if proposal.architecture.encoding[0] == 3 else values

    done = searched(make(Toy(), BOUNDED, 1), partly_undefined, trials=1100, ahead=8, screen=toy_screen())
    assert best(done, BOUNDED)[0] != 3


@every
def test_settings_are_plain_and_make_the_same_again(make):
    strategy = make(Toy(), BOUNDED, 4)
    again = type(strategy)(Toy(), BOUNDED, seed=4, **strategy.settings())
    assert searched(again, metrics_of, trials=120) == searched(
        make(Toy(), BOUNDED, 4), metrics_of, trials=120
    )


class Alone(Toy):
    name = "alone"
    decisions = {"d0": (1,)}


@pytest.mark.parametrize("name", ["evolution", "area", "nsga2"])
def test_a_space_of_one_architecture_is_refused_before_anything_is_asked(name):
    with pytest.raises(ValueError, match="no valid neighbour in space alone; use the strategy random"):
        EVERY[name](Alone(), SUM, 0)


@pytest.mark.parametrize("name", ["chamnet", "random_warm_up", "naswot"])
def test_a_space_of_one_architecture_is_searched_by_what_can(name):
    done = searched(EVERY[name](Alone(), SUM, 0), trials=60)
    assert best(done) == (0,)
