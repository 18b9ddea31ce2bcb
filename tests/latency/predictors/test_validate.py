import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from hwnas.latency.predictors.validate import (
    HeldOutError,
    Prediction,
    can_cross_validate,
    cross_validated,
    folds,
    held_out_error,
    mape,
    spearman,
    within,
)

PAIRS = st.lists(st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)), min_size=3, max_size=30).map(np.array)


def test_by_hand():
    predicted, measured = np.array([1.04, 1.0, 1.2, 4.0]), np.array([1.0, 1.0, 1.0, 4.3])
    assert mape(predicted, measured) == pytest.approx((0.04 + 0 + 0.2 + 0.3 / 4.3) / 4)
    assert within(predicted, measured, 0.05) == 0.5 and within(predicted, measured, 0.1) == 0.75
    assert str(held_out_error(predicted, measured)).endswith("(4 networks held out)")


@given(PAIRS)
def test_spearman_is_scipys_and_does_not_change_with_scale(pairs):
    a, b = pairs.T
    if np.ptp(a) and np.ptp(b):
        assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-9)
        assert spearman(7 * a, b) == pytest.approx(spearman(a, b))


def test_a_constant_has_no_rank_correlation():
    assert math.isnan(spearman(np.ones(4), np.arange(4.0)))


@given(st.integers(2, 50), st.integers(0, 5))
def test_each_index_is_held_out_once(n, seed):
    parts = list(folds(n, min(5, n), seed=seed))
    assert sorted(np.concatenate([held_out for _, held_out in parts]).tolist()) == list(range(n))
    assert all(
        set(kept) | set(held_out) == set(range(n)) and not set(kept) & set(held_out)
        for kept, held_out in parts
    )


def test_folds_follow_the_seed():
    same = [[held_out.tolist() for _, held_out in folds(20, 5, seed=seed)] for seed in (0, 0, 1)]
    assert same[0] == same[1] != same[2]


def test_fewest():
    assert can_cross_validate(3, 2) and not can_cross_validate(2, 2)
    assert can_cross_validate(5, 4) and not can_cross_validate(4, 4)
    assert can_cross_validate(13, 10) and not can_cross_validate(12, 10)


def test_held_out_values_are_not_seen():
    measured = np.arange(1.0, 11.0)

    def mean(kept, out):
        return Prediction(np.full(len(out), measured[kept].mean()), np.ones(len(out)))

    error, scores = cross_validated(mean, measured, seed=0)
    assert error.n == 10 and error.spearman < 0
    assert len(scores) == 10


@pytest.mark.parametrize(
    "field, value", [("n", 0), ("mape", -1.0), ("mape", np.nan), ("within_5", 1.01), ("spearman", 2.0)]
)
def test_impossible_figures_are_refused(field, value):
    good = {"n": 3, "mape": 0.01, "within_5": 0.9, "within_10": 1.0, "spearman": 0.9}
    with pytest.raises(ValueError, match=field):
        HeldOutError(**{**good, field: value})
