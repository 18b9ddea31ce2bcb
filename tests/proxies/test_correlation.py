"""Figures of `correlate` against their definitions by double loop, and the laws that they obey."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, spearmanr

from hwnas.proxies.correlation import Statistic, correlate
from hwnas.proxies.correlation.figures import NAMES, figures, why_undefined
from hwnas.proxies.correlation.pairs import count_pairs, count_pairs_with_undefined
from hwnas.proxies.correlation.ranks import dense_ranks
from hwnas.proxies.correlation.top import best, chosen_by

NAN = math.nan
truths = st.integers(0, 12).map(float)
scores = st.one_of(st.integers(-6, 6).map(float), st.sampled_from([NAN, math.inf, -math.inf]))
populations = st.lists(st.tuples(scores, truths), min_size=3, max_size=90)
finite_populations = st.lists(st.tuples(st.integers(-6, 6).map(float), truths), min_size=3, max_size=90)


def columns(rows):
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def point(score, truth, **settings):
    found = correlate(score, truth, resamples=1, **settings)
    return np.array([statistic.value for statistic in found.statistics().values()])


def normal(n, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n)
    return truth + noise * rng.normal(size=n), truth


def by_loop(score, truth):
    """Concordant, discordant, tied in score, tied in truth, tied in both."""
    counts = [0] * 5
    for i in range(len(score)):
        for j in range(i):
            s, t = np.sign(score[i] - score[j]), np.sign(truth[i] - truth[j])
            counts[0 if s * t > 0 else 1 if s * t < 0 else 4 if not s and not t else 2 if not s else 3] += 1
    return counts


def as_list(pairs):
    return [pairs.concordant, pairs.discordant, pairs.tied_score, pairs.tied_truth, pairs.tied_both]


@given(finite_populations)
def test_pairs_are_those_of_a_double_loop(rows):
    score, truth = columns(rows)
    assert as_list(count_pairs(dense_ranks(score), dense_ranks(truth))) == by_loop(score, truth)


@given(populations)
def test_pairs_with_undefined_are_those_of_a_double_loop(rows):
    score, truth = columns(rows)
    ranks, truth_ranks = dense_ranks(score), dense_ranks(truth)
    known = np.isfinite(score)
    pairs = count_pairs(ranks[known], truth_ranks[known]) + count_pairs_with_undefined(ranks, truth_ranks)
    assert as_list(pairs) == by_loop(np.where(known, score, -100), truth)


@given(populations)
def test_correlations_are_scipys(rows):
    score, truth = columns(rows)
    known = np.isfinite(score)
    found = correlate(score, truth, resamples=1)
    assert (found.known, found.scored) == (len(rows), known.sum())
    assert found.coverage == known.mean()
    last = np.where(known, score, -100)
    for s, t, kind in ((score[known], truth[known], ""), (last, truth, "_undefined_last")):
        if known.sum() < 3 or len(set(s)) == 1 or len(set(t)) == 1:
            assert math.isnan(getattr(found, f"spearman{kind}").value)
            continue
        assert getattr(found, f"spearman{kind}").value == pytest.approx(spearmanr(s, t).statistic)
        assert getattr(found, f"kendall{kind}").value == pytest.approx(kendalltau(s, t).statistic)


@given(finite_populations)
def test_pair_accuracy_loses_ties(rows):
    score, truth = columns(rows)
    right, wrong, tied, *_ = by_loop(score, truth)
    found = correlate(score, truth, resamples=1).pair_accuracy.value
    assert found == pytest.approx(
        right / (right + wrong + tied) if right + wrong + tied else NAN, nan_ok=True
    )


@pytest.mark.parametrize("n", [30, 31, 65, 100, 101, 640, 641])
def test_the_best_are_those_of_the_epsilon_papers_rule(n):
    score, truth = normal(n, seed=n)
    good, chosen = truth > np.percentile(truth, 90), score > np.percentile(score, 90)
    assert (best(dense_ranks(truth), one_in=10) == good).all()
    assert good.sum() == math.ceil((n - 1) / 10)
    found = correlate(score, truth, resamples=1)
    assert found.top_10_in_top_10.value == pytest.approx(100 * (good & chosen).sum() / chosen.sum())
    assert found.spearman_top_10.value == pytest.approx(spearmanr(score[good], truth[good]).statistic)
    assert found.kendall_top_10.value == pytest.approx(kendalltau(score[good], truth[good]).statistic)
    if n > 64:
        first = score >= np.sort(score)[-64]
        assert found.top_64_in_top_5.value == ((truth > np.percentile(truth, 95)) & first).sum()
    else:
        assert found.top_64_in_top_5.reason == f"{n} architectures have a score; more than 64 are needed"


def test_tied_scores_share_the_places_left():
    assert chosen_by(np.array([3, 2, 2, 1]), 2).tolist() == [1, 0.5, 0.5, 0]
    truth = np.arange(200.0)
    found = correlate(np.zeros(200), truth, resamples=1)
    assert found.top_10_in_top_10.value == pytest.approx(10)
    assert found.top_64_in_top_5.value == pytest.approx(3.2)


@given(populations, st.randoms(use_true_random=False))
def test_the_order_of_the_architectures_is_of_no_account(rows, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    np.testing.assert_allclose(point(*columns(rows)), point(*columns(shuffled)))


@given(populations)
def test_rising_transforms_change_nothing(rows):
    score, truth = columns(rows)
    with np.errstate(all="ignore"):
        bent = np.where(np.isfinite(score), np.exp(score / 3) - 5, NAN)
    first = correlate(score, truth, resamples=5)
    assert repr(first) == repr(correlate(bent, truth**3 + 7, resamples=5))


@given(populations)
def test_a_lower_is_better_score_is_its_negative(rows):
    score, truth = columns(rows)
    assert repr(correlate(-score, truth, higher_is_better=False, resamples=5)) == repr(
        correlate(score, truth, resamples=5)
    )
    ahead, back = (correlate(score, truth, higher_is_better=up, resamples=1) for up in (True, False))
    for name in ("spearman", "kendall", "spearman_top_10", "kendall_top_10"):
        pair = getattr(ahead, name).value, getattr(back, name).value
        assert pair[0] == pytest.approx(-pair[1], nan_ok=True)


@given(populations)
@settings(max_examples=50)
def test_figures_are_in_range_and_every_nan_has_a_reason(rows):
    found = correlate(*columns(rows), resamples=3)
    for name, one in found.statistics().items():
        assert math.isfinite(one.value) == (one.reason is None)
        low, high = {"top_10_in_top_10": (0, 100), "top_64_in_top_5": (0, 64), "pair_accuracy": (0, 1)}.get(
            name, (-1, 1)
        )
        for value in (one.value, one.low, one.high):
            assert math.isnan(value) or low <= value <= high + 1e-9
        assert math.isnan(one.low) or one.low <= one.high


def test_perfect_and_reversed_ranks():
    truth = np.arange(300.0)
    found = correlate(truth, truth)
    for name, one in found.statistics().items():
        ideal = {"top_10_in_top_10": 100, "top_64_in_top_5": 15}.get(name, 1)
        assert one.value == pytest.approx(ideal), name
    ends = [found.spearman.low, found.spearman.high, found.kendall.low, found.kendall.high]
    assert ends == pytest.approx([1, 1, 1, 1])
    worst = correlate(-truth, truth, resamples=1)
    assert (worst.spearman.value, worst.kendall.value, worst.pair_accuracy.value) == (-1, -1, 0)


@pytest.mark.parametrize("noise", [0.3, 1, 3])
def test_intervals_hold_the_figure_and_shrink_with_the_population(noise):
    widths = []
    for n in (200, 3200):
        found = correlate(*normal(n, noise))
        for name in ("spearman", "kendall", "pair_accuracy", "spearman_undefined_last"):
            one = getattr(found, name)
            assert one.low < one.value < one.high
        widths.append(found.spearman.high - found.spearman.low)
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.4)


def test_the_interval_has_the_width_of_the_sampling_error():
    drawn = [correlate(*normal(300, 1, seed=seed), resamples=1).spearman.value for seed in range(200)]
    found = correlate(*normal(300, 1, seed=999)).spearman
    assert found.high - found.low == pytest.approx(np.subtract(*np.percentile(drawn, [97.5, 2.5])), rel=0.3)


def test_the_seed_decides():
    pair = normal(100)
    assert correlate(*pair, seed=1) == correlate(*pair, seed=1) != correlate(*pair, seed=2)


def test_an_architecture_without_truth_is_left_out():
    score, truth = normal(80)
    gaps = np.where(np.arange(80) < 10, NAN, truth)
    assert repr(correlate(score, gaps)) == repr(correlate(score[10:], truth[10:]))


@pytest.mark.parametrize(
    ("score", "truth", "name", "reason"),
    [
        ([1, 2], [1, 2], "spearman", "2 architectures have a score; at least 3 are needed"),
        ([], [], "kendall", "0 architectures have a score; at least 3 are needed"),
        ([NAN, 1, 2, math.inf], [1, 2, 3, 4], "pair_accuracy", "2 architectures have a score; at least 3 are needed"),
        ([1, 2, 3], [5, 5, 5], "spearman", "all architectures have the same truth"),
        ([1, 2, 3], [5, 5, 5], "pair_accuracy", "all architectures have the same truth"),
        ([1, 1, 1], [5, 6, 7], "kendall", "all architectures have the same score"),
        (range(20), range(20), "spearman_top_10", "the top 10 % are 2 architectures; at least 3 are needed"),
        (range(9), [0] + [1] * 8, "top_10_in_top_10",
         "the highest truth is shared by more than 10 % of the architectures"),
        ([0] * 90 + [7] * 10, range(100), "kendall_top_10", "the top 10 % have the same score"),
    ],
)  # fmt: skip
def test_what_is_undefined_says_why(score, truth, name, reason):
    one = getattr(correlate(list(score), list(truth)), name)
    assert math.isnan(one.value) and math.isnan(one.low) and math.isnan(one.high)
    assert one.reason == reason


@given(populations)
@settings(max_examples=50)
def test_every_undefined_figure_has_a_reason_of_its_own(rows):
    score, truth = (dense_ranks(column) for column in columns(rows))
    for name, value in zip(NAMES, figures(score, truth), strict=True):
        if math.isnan(value):
            assert why_undefined(name, score, truth)


@pytest.mark.parametrize(
    ("arguments", "settings", "says"),
    [
        (([1, 2, 3], [1, 2]), {}, "scores: 3 of them for 2 values of truth"),
        (([[1, 2]], [1, 2]), {}, "scores: the shape is (1, 2)"),
        (([1, 2], ["a", "b"]), {}, "truth: not numbers"),
        (([1, 2], [1, math.inf]), {}, "truth: it holds infinite values"),
        (([1, 2], [1, 2]), {"resamples": 0}, "resamples: 0; at least 1"),
    ],
)
def test_wrong_arguments_are_named(arguments, settings, says):
    with pytest.raises(ValueError) as told:
        correlate(*arguments, **settings)
    assert says in str(told.value)


def test_a_statistic_has_a_reason_exactly_when_it_has_no_value():
    with pytest.raises(ValueError, match="reason"):
        Statistic(NAN, NAN, NAN)
    with pytest.raises(ValueError, match="reason"):
        Statistic(0.5, 0.4, 0.6, "none")
