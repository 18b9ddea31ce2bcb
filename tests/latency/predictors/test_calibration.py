import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from hwnas.latency.fit import fit
from hwnas.latency.predictors.calibration import Calibration, calibrate, scores
from tests.latency.predictors.synthetic import SPACE, network_ms, table_of

LEVELS = st.sampled_from([0.6, 0.8, 0.9, 0.95])


def test_by_hand():
    nineteen = Calibration(tuple(float(i) for i in range(-9, 10)))
    assert nineteen.method(0.9) == "conformal"
    assert nineteen.upper(0.9) == 8  # ceil(20 · 0.9) = 18th of 19
    assert nineteen.half_width(0.9) == 9  # 18th of 0, 1, 1, ..., 9, 9
    assert nineteen.method(0.96) == "student-t"
    assert Calibration((-2.0, 0.0, 2.0)).half_width(0.9) == pytest.approx(2.9200 * math.sqrt(8 / 3), abs=1e-3)
    assert Calibration((-2.0, 0.0, 2.0)).upper(0.9) == pytest.approx(1.8856 * math.sqrt(8 / 3), abs=1e-3)
    np.testing.assert_allclose(scores(np.array([1.2]), np.array([1.0]), np.array([2.0])), [0.1])


def test_how_many_suffice():
    assert Calibration((0.0,) * 9).method(0.9) == "conformal"
    assert Calibration((0.0,) * 8).method(0.9) == "student-t"


@given(st.integers(9, 60), LEVELS, st.integers(0, 10**6), st.sampled_from(["normal", "exponential", "t"]))
def test_exchangeable_scores_are_covered(n, level, seed, shape):
    """Bound and interval hold at least as often as stated, whatever the errors' distribution."""
    generator = np.random.default_rng(seed)
    repeats = 300
    draw = {
        "normal": generator.standard_normal,
        "exponential": lambda size: generator.exponential(size=size) - 1,
        "t": lambda size: generator.standard_t(3, size),
    }[shape]
    drawn = draw((repeats, n + 1))
    found = [(calibrate(row[:-1]), row[-1]) for row in drawn]
    if found[0][0].method(level) == "student-t":
        return
    least = binom.ppf(1e-7, repeats, level) / repeats
    assert np.mean([new <= one.upper(level) for one, new in found]) >= least
    assert np.mean([abs(new) <= one.half_width(level) for one, new in found]) >= least


@given(st.integers(3, 8), st.integers(0, 10**6))
@settings(max_examples=30)
def test_few_normal_scores_are_covered(n, seed):
    drawn = np.random.default_rng(seed).standard_normal((400, n + 1))
    found = [(calibrate(row[:-1]), row[-1]) for row in drawn]
    least, most = binom.ppf([1e-7, 1 - 1e-7], 400, [0.9, 0.94]) / 400
    assert least <= np.mean([new <= one.upper(0.9) for one, new in found]) <= most
    assert least <= np.mean([abs(new) <= one.half_width(0.9) for one, new in found]) <= most


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=40), LEVELS)
def test_wider_for_a_higher_level_and_in_any_order(values, level):
    one = calibrate(np.array(values))
    assert one == calibrate(np.array(values[::-1]))
    if one.method(0.97) == one.method(level):
        assert one.upper(level) <= one.upper(0.97) and one.half_width(level) <= one.half_width(0.97)
    assert one.half_width(level) >= 0


@pytest.mark.parametrize(
    "values, says", [((1.0, 2.0), "at least 3"), ((1.0, math.nan, 2.0), "finite"), ((2.0, 1.0, 3.0), "order")]
)
def test_impossible_scores_are_refused(values, says):
    with pytest.raises(ValueError, match=says):
        Calibration(values)


@pytest.mark.parametrize("level", [0.0, 0.4, 1.0, 90])
def test_a_level_is_a_probability(level):
    with pytest.raises(ValueError, match=r"level is .*at least 0\.5 and below 1"):
        Calibration((0.0, 1.0, 2.0)).upper(level)


def test_too_few_scores_are_no_calibration():
    assert calibrate(np.zeros(2)) is None and calibrate(np.zeros(3)) is not None


# --- of fitted predictors


@pytest.mark.parametrize("kind", ["linear", "lookup"])
def test_bounds_hold_on_fresh_networks(kind):
    """Over several tables: the share of fresh networks below the bound and within the interval."""
    fresh = [architecture.network for architecture in SPACE.sample(40, seed=99)]
    below, within, error = [], [], []
    for seed in range(8):
        table = table_of(SPACE.sample(30, seed=seed), noise=0.03)
        predictor = fit(table, kind, networks=SPACE.sample(30, seed=seed))
        if kind == "lookup":
            fresh = [architecture.network for architecture in SPACE.sample(30, seed=seed)]
        generator = np.random.default_rng(seed + 1000)
        measured = np.array([network_ms(network, 0.03, generator) for network in fresh])
        low, high = predictor.interval(fresh)
        below.append(measured <= predictor.upper(fresh))
        within.append((low <= measured) & (measured <= high))
        error.append(predictor.held_out)
    assert 0.8 <= np.mean(below) <= 0.98 and 0.8 <= np.mean(within) <= 0.98
    assert all(0.7 <= one.covered <= 1 and 0.02 < one.half_width < 0.2 for one in error)


def test_too_few_networks_for_a_calibration_say_how_many():
    architectures = SPACE.sample(4, seed=0)
    predictor = fit(table_of(architectures), "linear", networks=architectures)
    with pytest.raises(ValueError, match="4 measured networks were too few to hold some out; 5 are needed"):
        predictor.upper([architectures[0]])
    with pytest.raises(ValueError, match="level is 2"):
        predictor.interval([architectures[0]], level=2)
    assert [
        len(side)
        for side in fit(
            table_of(SPACE.sample(9, seed=0)), "linear", networks=SPACE.sample(9, seed=0)
        ).interval([])
    ] == [0, 0]


@pytest.mark.parametrize("calibration", [Calibration((), 6.0), Calibration((-1.5, -0.2, 0.1, 0.4, 1.1))])
def test_half_of_all_scores_are_below_zero(calibration):
    assert calibration.probability_below(np.zeros(1)) == pytest.approx(0.5)


def test_scores_that_are_all_zero_are_a_step():
    found = calibrate(np.zeros(5)).probability_below(np.array([-1e-9, 0.0, np.inf]))
    assert found.tolist() == [0.0, 1.0, 1.0]


def test_the_bound_that_a_posterior_states_is_kept_with_its_probability():
    calibration = Calibration((), 6.0)
    assert calibration.probability_below(np.array([calibration.upper(0.9)])) == pytest.approx(0.9)


def test_scores_widen_the_distribution():
    narrow, wide = Calibration((-0.1, 0.0, 0.1)), Calibration((-1.0, 0.0, 1.0))
    found = [calibration.probability_below(np.array([1.0])) for calibration in (narrow, wide)]
    assert found[0] > found[1] > 0.5
    expected = 0.5 + 0.5 * (1.5 / math.sqrt(1.5**2 + 2))  # t of 2 degrees of freedom in closed form
    assert wide.probability_below(np.array([1.5 * math.sqrt(2 / 3)])) == pytest.approx(expected)
