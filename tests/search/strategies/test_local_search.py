"""Local search: looks all around, moves up, restarts, ends."""

from itertools import pairwise

import pytest

from hwnas.search.strategies import LocalSearch
from hwnas.spaces.nasbenchnlp import NASBenchNLP
from tests.search.strategies.told import BOUNDED, SUM, Toy, evaluated, metrics_of, searched, toy_screen


class Alone(Toy):
    name = "alone"
    decisions = {"d0": (1,), "d1": (2,)}


class Tiny(Toy):
    name = "tiny"
    decisions = {f"d{i}": (0, 1, 2) for i in range(3)}


@pytest.mark.parametrize(("space", "name"), [(Alone(), "alone"), (NASBenchNLP(), "nasbenchnlp")])
def test_a_space_without_neighbours_is_refused_by_name(space, name):
    with pytest.raises(ValueError, match=f"local_search .* space {name} has no neighbours"):
        LocalSearch(space, SUM)


def distance(a, b):
    return sum(x != y for x, y in zip(a, b, strict=True))


def value(encoding):
    return sum(encoding) + 0.01 * encoding[0]


def test_all_neighbours_are_evaluated_before_it_moves_to_the_best():
    known = evaluated(searched(LocalSearch(Toy(), SUM), trials=200))
    start, around = known[0], known[1:25]
    assert all(distance(start, one) == 1 for one in around)
    assert len(set(around)) == 24
    second = max(around, key=value)
    again = [one for one in known[25:45] if one not in around]
    assert all(distance(second, one) == 1 for one in again)


def test_the_first_improvement_moves_at_once():
    known = evaluated(searched(LocalSearch(Toy(), SUM, first_improvement=True), trials=60))
    centre = known[0]
    for one, following in pairwise(known):
        assert distance(centre, one) <= 1
        if value(one) > value(centre):
            centre = one
            assert distance(centre, following) == 1
        if centre == (4,) * 6:
            break
    assert value(centre) > value(known[0])


@pytest.mark.parametrize("first_improvement", [False, True])
@pytest.mark.parametrize("ahead", [1, 8])
def test_an_exhausted_space_ends_the_search_and_nothing_is_evaluated_twice(first_improvement, ahead):
    strategy = LocalSearch(Tiny(), SUM, first_improvement=first_improvement)

    def metrics(proposal):
        # every architecture is a local optimum or not by a rugged value
        a, b, c = proposal.architecture.encoding
        return {"value": float((7 * a + 5 * b + 3 * c) % 8)}

    known = evaluated(searched(strategy, metrics, trials=1000, ahead=ahead))
    assert len(known) == 27
    assert len(set(known)) == 27


def test_at_a_local_optimum_it_starts_anew():
    known = evaluated(searched(LocalSearch(Toy(), SUM, seed=2), trials=600))
    optimum = known.index((4,) * 6)
    later = known[optimum + 1 :]
    assert any(distance((4,) * 6, one) > 2 for one in later)


def test_where_all_values_are_undefined_it_goes_on():
    known = evaluated(searched(LocalSearch(Toy(), SUM), lambda proposal: {}, trials=100, ahead=8))
    assert len(set(known)) == 100


def test_neighbours_beyond_the_bounds_are_not_proposed():
    known = evaluated(searched(LocalSearch(Toy(), BOUNDED), metrics_of, trials=300, screen=toy_screen()))
    assert all(max(encoding) <= 3 for encoding in known)
