"""Which space comes first, and with which probability."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.tinynas.ranking import first_probabilities, ranked
from hwnas.tinynas.sampling import Draws, Nearest
from hwnas.tinynas.statistics import CRITERIA, criterion_of

MEAN = criterion_of("mean")


def draws(macs, drawn, violation=1.0):
    nearest = None if len(macs) else Nearest("s", "a", {}, violation)
    return Draws(drawn, np.array(macs, dtype=float), (drawn - len(macs),), nearest)


def normal(mean, n, drawn=None, seed=0):
    return draws(np.random.default_rng([seed, n]).normal(mean, 1, n), drawn or n)


def test_flagged_spaces_follow_the_others_and_empty_ones_are_last():
    found = {
        "far": draws([], 100, violation=3),
        "near": draws([], 100, violation=2),
        "rare": draws([9] * 4, 100),
        "small": draws([1] * 50, 100),
        "large": draws([2] * 5, 100),
        "rarest": draws([8], 100),
    }
    assert ranked(found, MEAN, 0.05) == ["large", "small", "rare", "rarest", "near", "far"]
    assert ranked(found, MEAN, 0) == ["rare", "rarest", "large", "small", "near", "far"]
    assert ranked(found, criterion_of("mean*feasible"), 0)[:3] == ["small", "rare", "large"]


SPACES = st.lists(st.lists(st.floats(0, 1e9), max_size=8), min_size=1, max_size=30).filter(any)


@settings(max_examples=40)
@given(SPACES, st.sampled_from(list(CRITERIA)))
def test_probabilities_are_those_of_one_first_space(spaces, criterion):
    found = {str(i): draws(macs, 8) for i, macs in enumerate(spaces)}
    rule = criterion_of(criterion)
    order = ranked(found, rule, 0.3)
    probabilities = first_probabilities(order, found, rule, 0.3, [0])
    assert list(probabilities) == order
    assert sum(probabilities.values()) == pytest.approx(1)
    assert all(not probabilities[name] for name in order if not len(found[name].macs))


def test_equal_spaces_share_and_clear_ones_win():
    found = {"a": normal(5, 400), "b": normal(5, 401), "c": normal(3, 400)}
    close = first_probabilities(ranked(found, MEAN, 0.05), found, MEAN, 0.05, [0])
    assert close["c"] == 0 and min(close["a"], close["b"]) > 0.02
    found["a"] = normal(5.5, 400)
    assert first_probabilities(ranked(found, MEAN, 0.05), found, MEAN, 0.05, [0])["a"] == 1


def test_the_probability_is_the_frequency_with_which_the_better_space_looks_better():
    """Of two spaces 0.5 standard errors apart: the share of repetitions, by theory, is Φ(0.5) = 0.69."""
    difference = 0.5 * np.sqrt(2 / 300)
    wins = [
        MEAN(normal(difference, 300, seed=i).macs, np.array(1))
        > MEAN(normal(0, 301, seed=i).macs, np.array(1))
        for i in range(2000)
    ]
    assert np.mean(wins) == pytest.approx(0.69, abs=0.04)
    grid = np.random.default_rng(1).normal(0, 1, 300)
    grid = (grid - grid.mean()) / grid.std()
    found = {"a": draws(grid + difference, 300), "b": draws(grid, 300)}
    assert first_probabilities(["a", "b"], found, MEAN, 0, [0])["a"] == pytest.approx(0.69, abs=0.05)


def test_a_space_at_the_threshold_wins_half_of_the_time():
    found = {"sure": normal(5, 500), "border": normal(9, 50, drawn=1000)}
    order = ranked(found, MEAN, 0.05)
    assert order == ["border", "sure"]
    probability = first_probabilities(order, found, MEAN, 0.05, [0])["border"]
    assert 0.4 < probability < 0.65


def test_a_flagged_space_beyond_the_contenders_may_be_the_first():
    found = {f"s{i}": normal(5, 500, seed=i) for i in range(25)}
    found["border"] = normal(9, 49, drawn=1000)
    order = ranked(found, MEAN, 0.05)
    assert order[-1] == "border"
    assert 0.3 < first_probabilities(order, found, MEAN, 0.05, [0])["border"] < 0.6
