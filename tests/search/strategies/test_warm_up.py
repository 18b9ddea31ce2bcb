"""AREA, NASWOT and random search with a warm-up: what a proxy chooses."""

import math

import pytest

from hwnas.objectives import Constraint, Objective
from hwnas.search.screen import Screen
from hwnas.search.strategies import AREA, NASWOTSearch, WarmedRandomSearch
from tests.search.strategies.told import BOUNDED, SUM, Sum, Toy, evaluated, metrics_of, searched


def scored(done, name="proxy"):
    return [
        (values.get(name, -math.inf), p.architecture.encoding) for p, values in done if p.maximize == name
    ]


def best_first(done):
    ordered = sorted(scored(done), key=lambda one: one[0], reverse=True)
    return list(dict.fromkeys(encoding for _, encoding in ordered))


def test_area_is_the_lectures_algorithm():
    done = searched(AREA(Toy(), SUM, warm_up_by="proxy"), trials=1100)
    first, later = evaluated(done)[:10], evaluated(done)[10:]
    assert len(scored(done)) == 1000
    assert first == best_first(done)[:10]
    # the oldest dies, so that each later one is a mutant of one of the ten before it
    for number, encoding in enumerate(later, start=10):
        before = evaluated(done)[number - 10 : number]
        assert any(sum(a != b for a, b in zip(encoding, one, strict=True)) == 1 for one in before)


class Few(Toy):
    name = "few"
    decisions = {f"d{i}": tuple(range(3)) for i in range(3)}


@pytest.mark.parametrize("samples", [20, 1000])
def test_of_a_small_space_no_draw_repeats_and_the_warm_up_ends_with_the_space(samples):
    done = searched(NASWOTSearch(Few(), SUM, samples=samples, score_by="proxy"), trials=2000, ahead=8)
    drawn = [encoding for _, encoding in scored(done)]
    assert len(drawn) == len(set(drawn)) == min(samples, 27)
    assert evaluated(done) == best_first(done)[:1]


def test_areas_own_sizes():
    assert AREA(Toy(), SUM).settings() == {
        "population": 10,
        "tournament": 3,
        "warm_up": 1000,
        "warm_up_by": "naswot",
    }


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: AREA(Toy(), SUM, warm_up=0), "area needs a warm_up"),
        (lambda: AREA(Toy(), SUM, warm_up=5), "at least the population of 10"),
        (lambda: WarmedRandomSearch(Toy(), SUM), "warm_up_by"),
        (lambda: WarmedRandomSearch(Toy(), SUM, warm_up=0), "random_warm_up needs a warm_up"),
        (lambda: WarmedRandomSearch(Toy(), SUM, warm_up=-1, warm_up_by="proxy"), "warm_up must be"),
        (lambda: NASWOTSearch(Toy(), SUM, samples=0), "samples must be at least 1"),
        (lambda: NASWOTSearch(Toy(), SUM, score_by="value"), "use the strategy random"),
    ],
)
def test_settings_that_do_not_fit(make, says):
    with pytest.raises(ValueError, match=says):
        make()


def test_warmed_random_search_evaluates_all_scored_ones_and_then_others():
    done = searched(WarmedRandomSearch(Toy(), SUM, warm_up=40, warm_up_by="proxy"), trials=100, ahead=8)
    assert evaluated(done)[:40] == best_first(done)
    assert len(evaluated(done)) == 60


@pytest.mark.parametrize("ahead", [1, 8])
def test_the_answer_of_naswot_is_the_best_of_its_samples_though_all_scores_are_negative(ahead):
    def metrics(proposal):
        total = float(sum(proposal.architecture.encoding))
        return {"proxy": total - 1000} if proposal.maximize == "proxy" else {"value": total}

    done = searched(NASWOTSearch(Toy(), SUM, samples=30, score_by="proxy"), metrics, ahead=ahead)
    assert len(done) == 31
    assert evaluated(done) == best_first(done)[:1]


def test_where_the_best_of_naswot_has_no_value_the_next_is_the_answer():
    failing = []

    def metrics(proposal):
        if proposal.maximize == "proxy":
            return {"proxy": float(sum(proposal.architecture.encoding))}
        failing.append(proposal.architecture)
        return {"value": math.nan} if len(failing) < 3 else {"value": 0.5}

    done = searched(NASWOTSearch(Toy(), SUM, samples=30, score_by="proxy"), metrics, ahead=8)
    assert evaluated(done) == best_first(done)[:3]


def test_where_nothing_has_a_value_naswot_ends():
    def metrics(proposal):
        return {"proxy": 1.0} if proposal.maximize == "proxy" else {}

    done = searched(NASWOTSearch(Toy(), SUM, samples=10, score_by="proxy"), metrics, ahead=8)
    assert len(done) <= 20
    assert len(evaluated(done)) == len(set(evaluated(done)))


def test_constraints_come_before_the_proxy():
    done = searched(NASWOTSearch(Toy(), BOUNDED, samples=200, score_by="proxy"), metrics_of)
    done += searched(NASWOTSearch(Toy(), BOUNDED, samples=100, score_by="proxy"), metrics_of)
    assert max(evaluated(done)[-1]) <= 3


def test_of_a_proxy_of_which_less_is_better_the_least_is_chosen():
    objective = Objective("value", (Constraint("cost", 100.0),))
    screen = Screen(objective, {"proxy": Sum(higher_is_better=False)})

    def metrics(proposal):
        total = float(sum(proposal.architecture.encoding))
        return {"cost": 1.0, proposal.maximize: -total if proposal.maximize == "proxy" else total}

    strategy = NASWOTSearch(Toy(), objective, samples=50, score_by="proxy")
    done = searched(strategy, metrics, screen=screen)
    assert sum(evaluated(done)[0]) == max(sum(encoding) for _, encoding in scored(done))
    strategy = AREA(Toy(), objective, warm_up=50, warm_up_by="proxy")
    done = searched(strategy, metrics, screen=screen, trials=51)
    assert sum(evaluated(done)[0]) == max(sum(encoding) for _, encoding in scored(done))
