"""Evolution that moves to the neighbour that a proxy likes best."""

import pytest

from hwnas.search.strategies import MoveEvolution
from tests.search.strategies.told import BOUNDED, SUM, Sum, Toy, evaluated, metrics_of, searched, toy_screen


def moves(**settings):
    return MoveEvolution(Toy(), SUM, **{"move_by": "proxy", "population": 4, "tournament": 4, **settings})


class Alone(Toy):
    name = "alone"
    decisions = {"d0": (1,)}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"move_by": None}, "move needs move_by"),
        ({"move_by": "value"}, "cheaper than value"),
        ({"random_move": -0.1}, "random_move"),
        ({"random_move": 1.1}, "random_move"),
        ({"tournament": 5}, "tournament"),
    ],
)
def test_settings_that_do_not_fit(settings, says):
    with pytest.raises(ValueError, match=says):
        moves(**settings)


def test_a_space_without_neighbours_is_refused_by_name():
    with pytest.raises(ValueError, match=r"move .* space alone has no neighbours"):
        MoveEvolution(Alone(), SUM, move_by="proxy")


def test_the_child_is_the_best_neighbour_of_the_best_member_by_the_proxy():
    strategy = moves(random_move=0.0)
    done = searched(strategy, trials=60)
    known = evaluated(done)
    best = max(known[:4], key=lambda encoding: (sum(encoding), encoding[0]))
    around = [
        (*best[:i], choice, *best[i + 1 :]) for i in range(6) for choice in range(5) if choice != best[i]
    ]
    scores = [p.architecture.encoding for p, _ in done[4:] if p.maximize == "proxy"]
    assert set(scores[:24]) == set(around)
    assert known[4] == max(around, key=lambda encoding: (sum(encoding), encoding[0]))


def test_nothing_is_scored_or_moved_to_twice():
    done = searched(moves(random_move=0.0), trials=900, ahead=8)
    scores = [p.architecture for p, _ in done if p.maximize == "proxy"]
    assert len(scores) == len(set(scores))
    # the members of the first population are random, and can be equal
    moved = evaluated(done)[4:]
    assert len(moved) == len(set(moved))


def test_always_random_is_regularised_evolution():
    done = searched(moves(random_move=1.0), trials=100)
    assert all(proposal.maximize == "value" for proposal, _ in done)


def test_warm_up_scores_are_used_again():
    done = searched(moves(warm_up=300, warm_up_by="proxy", random_move=0.0), trials=700)
    warm = {p.architecture for p, _ in done[:300]}
    later = [p.architecture for p, _ in done[300:] if p.maximize == "proxy"]
    assert not warm & set(later)


def test_a_neighbour_within_the_bounds_is_preferred_though_the_proxy_prefers_another():
    strategy = MoveEvolution(Toy(), BOUNDED, move_by="proxy", population=10, tournament=10, random_move=0.0)
    done = searched(strategy, metrics_of, trials=2000)
    proxies = [
        values["proxy"] for p, values in done if p.maximize == "proxy" and max(p.architecture.encoding) > 3
    ]
    moved = evaluated(done)[10:25]
    assert all(max(encoding) <= 3 for encoding in moved)
    assert max(proxies) > max(map(sum, moved)) + 1


def test_of_a_proxy_of_which_less_is_better_the_least_is_chosen():
    def metrics(proposal):
        total = float(sum(proposal.architecture.encoding))
        return {"value": total} if proposal.maximize == "value" else {"proxy": -total}

    def last(screen):
        return sum(evaluated(searched(moves(random_move=0.0), metrics, trials=400, screen=screen))[-1])

    assert last(toy_screen(SUM, proxy=Sum(higher_is_better=False))) > 20
