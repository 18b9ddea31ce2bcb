from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.objectives import MetricError
from hwnas.search.metrics import CountMetric
from hwnas.search.strategies.predictor.features import Features, ranked_among_themselves
from hwnas.search.strategies.predictor.targets import standardised
from hwnas.spaces import NASBench201
from tests.search.strategies.told import Sum
from tests.search.toy import Toy

SPACE = Toy()
EVERYTHING = list(SPACE)


@dataclass(frozen=True)
class Holey(Sum.__base__):
    """Undefined where the first decision is 0, not a number where it is 1."""

    def __call__(self, architecture):
        if architecture.encoding[0] == 0:
            raise MetricError("undefined")
        return float("nan") if architecture.encoding[0] == 1 else super().__call__(architecture)


def test_scores_are_standard_normal_by_rank_over_the_space():
    found = Features.of(SPACE, [Sum()], EVERYTHING)(EVERYTHING)
    scores = found.scores[:, 0]
    assert scores.mean() == pytest.approx(0, abs=1e-6)
    assert scores.std() == pytest.approx(1, abs=0.02)
    values = np.array([Sum()(a) for a in EVERYTHING])
    order = np.argsort(values, kind="stable")
    assert (np.diff(scores[order]) >= 0).all()
    assert found.inputs.shape == (15625, 31)
    assert (found.promise == scores).all()


def test_less_is_better_turns_a_score_but_not_a_count():
    up, down = (
        Features.of(SPACE, [Sum(higher_is_better=better)], EVERYTHING)(EVERYTHING[:50]).scores
        for better in (True, False)
    )
    np.testing.assert_allclose(up, down)
    space = NASBench201()
    some = space.sample(50, seed=0)
    scores = Features.of(space, [CountMetric("live_params")], some)(some).scores[:, 0]
    params = [CountMetric("live_params")(a) for a in some]
    assert scores[np.argmax(params)] == scores.max()


def test_architectures_ranked_among_themselves_are_scored_once():
    calls = []

    @dataclass(frozen=True)
    class Counted(Sum.__base__):
        def __call__(self, architecture):
            calls.append(architecture)
            return super().__call__(architecture)

    found = ranked_among_themselves(SPACE, [Counted()], EVERYTHING)
    assert calls == EVERYTHING
    assert (found.inputs == Features.of(SPACE, [Sum()], EVERYTHING)(EVERYTHING).inputs).all()


def test_undefined_scores_are_last():
    found = Features.of(SPACE, [Holey()], EVERYTHING)(EVERYTHING).scores[:, 0]
    undefined = np.array([a.encoding[0] < 2 for a in EVERYTHING])
    assert found[undefined].max() < found[~undefined].min()
    assert np.isfinite(found).all()


def test_without_proxies_all_promise_the_same():
    assert not Features.of(SPACE, [], EVERYTHING)(EVERYTHING[:5]).promise.any()


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40))
def test_targets_keep_the_order_above_the_median_and_have_no_unit(values):
    values = np.array(values)
    found = standardised(values)
    assert np.isfinite(found).all()
    upper = np.sort(values[values >= np.median(values)])
    assert (np.diff(standardised(values)[np.argsort(values)]) >= 0).all()
    if np.ptp(upper) > 1e-3:
        np.testing.assert_allclose(standardised(3 * values + 7), found, atol=1e-4)


@pytest.mark.filterwarnings("error")
def test_targets_of_any_finite_size_are_finite():
    found = standardised(np.array([-1.7e308, 1e308, 1.7e308, 1.6e308]))
    assert found.argmax() == 2 and np.isfinite(found).all()
    assert np.isfinite(standardised(np.array([0.0, 5e-324]))).all()


def test_a_network_that_failed_to_learn_leaves_the_others_apart():
    found = standardised(np.array([10.0, 93.0, 93.5, 94.0]))
    assert found[3] - found[1] > 0.5
