import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from hwnas.latency.predictors.mixture import (
    CONSTANT,
    KEPT,
    MOST_TARGETS,
    NOISE,
    POINTS,
    PREDICTIVE_FREEDOM,
    SMALL,
    Posterior,
    Variances,
    again,
    infer,
    most_points,
    prior,
)

RANGES = [(1e-4, 0.1), (1e-4, 0.1)]


def grams_of(parts, others=None):
    others = parts if others is None else others
    return np.stack([a @ b.T for a, b in zip(parts, others, strict=True)])


def drawn(seed, n, d=3):
    """Two kernels' inputs and targets around 1 of a linear function of them."""
    generator = np.random.default_rng(seed)
    parts = [generator.standard_normal((n, d)) / np.sqrt(d) for _ in range(2)]
    function = 1 + parts[0] @ np.full(d, 0.2) + parts[1] @ np.full(d, -0.1)
    return parts, function, generator


def test_the_points_lie_in_their_ranges_and_are_always_the_same():
    points = prior([(1e-4, 0.1), (1.0, 2.0)])
    assert points.kernels.shape == (POINTS, 2) and points.noise.shape == (POINTS,)
    assert (points.kernels[:, 0] >= 1e-4).all() and (points.kernels[:, 0] <= 0.1).all()
    assert (points.kernels[:, 1] >= 1).all() and (points.kernels[:, 1] <= 2).all()
    assert (NOISE[0] <= points.noise).all() and (points.noise <= NOISE[1]).all()
    assert (prior([(1e-4, 0.1), (1.0, 2.0)]).kernels == points.kernels).all()


def one_point(parts, targets, precisions=None, noise=1e-3):
    points = Variances(np.array([[0.05, 0.02]]), np.array([noise]))
    precisions = np.ones(len(targets)) if precisions is None else precisions
    return again(grams_of(parts), targets, precisions, points, np.ones(1))


def test_mean_and_variance_of_one_point_are_those_of_the_weights():
    """The same by Bayesian linear regression on the weights (Rasmussen and Williams, eq. 2.9)."""
    parts, targets, _ = drawn(0, 12)
    posterior = one_point(parts, targets)
    weights = [np.sqrt(v) * part for v, part in zip((0.05, 0.02), parts, strict=True)]
    inputs = np.concatenate([*weights, np.full((12, 1), np.sqrt(CONSTANT))], axis=1)
    noise = 1e-3 * np.maximum(targets, SMALL) ** 2
    precision = np.eye(inputs.shape[1]) + inputs.T @ (inputs / noise[:, None])
    covariance = np.linalg.inv(precision)
    mean = inputs @ covariance @ inputs.T @ (targets / noise)
    assert posterior.mean(grams_of(parts)) == pytest.approx(mean, rel=1e-6)
    own = np.stack([(part**2).sum(axis=1) for part in parts])
    function = np.einsum("nd,de,ne->n", inputs, covariance, inputs)
    expected = (function + 1e-3 * np.maximum(mean, SMALL) ** 2) * posterior.excess**2
    assert posterior.variance(grams_of(parts), own) == pytest.approx(expected, rel=1e-5)


def test_an_undisturbed_linear_function_is_found():
    parts, function, generator = drawn(1, 20)
    posterior = infer(grams_of(parts), function, prior(RANGES))
    others = [generator.standard_normal((50, 3)) / np.sqrt(3) for _ in range(2)]
    expected = 1 + others[0] @ np.full(3, 0.2) + others[1] @ np.full(3, -0.1)
    assert posterior.mean(grams_of(others, parts)) == pytest.approx(expected, abs=0.01)


def test_a_disturbed_target_counts_for_little_and_moves_the_others_little():
    parts, function, generator = drawn(2, 20)
    targets = function * (1 + 0.01 * generator.standard_normal(20))
    disturbed = targets.copy()
    disturbed[7] *= 2
    posterior = infer(grams_of(parts), disturbed, prior(RANGES))
    assert posterior.precisions.argmin() == 7
    assert posterior.precisions[7] < 0.3 * np.median(posterior.precisions)
    robust = np.abs(posterior.mean(grams_of(parts)) / function - 1)
    ordinary = one_point(parts, disturbed, noise=float(posterior.weights @ posterior.variances.noise))
    assert robust.mean() < 0.5 * np.abs(ordinary.mean(grams_of(parts)) / function - 1).mean()


def test_two_speeds_widen_the_predictions():
    """A device that runs a third of the networks 20 % slower: no one of them is an outlier."""
    parts, function, generator = drawn(3, 21)
    steady = infer(grams_of(parts), function * (1 + 0.01 * generator.standard_normal(21)), prior(RANGES))
    slow = function * np.where(np.arange(21) % 3, 1, 1.2) * (1 + 0.01 * generator.standard_normal(21))
    own = np.stack([(part**2).sum(axis=1) for part in parts])
    widths = [
        np.sqrt(found.variance(grams_of(parts), own)).mean()
        for found in (steady, infer(grams_of(parts), slow, prior(RANGES)))
    ]
    assert widths[1] > 3 * widths[0]
    assert steady.excess < 1.3


def test_weights_are_shares_in_descending_order():
    parts, targets, _ = drawn(4, 10)
    posterior = infer(grams_of(parts), targets, prior(RANGES))
    assert posterior.weights.sum() == pytest.approx(1)
    assert (np.diff(posterior.weights) <= 0).all()


@given(st.integers(0, 10_000), st.integers(5, 15))
def test_excess_is_that_of_targets_really_left_out(seed, n):
    parts, function, generator = drawn(seed, n)
    targets = function * (1 + 0.05 * generator.standard_normal(n))
    squares = []
    for i in range(n):
        kept = np.delete(np.arange(n), i)
        rest = [part[kept] for part in parts]
        posterior = one_point(rest, targets[kept])
        alone = [part[[i]] for part in parts]
        own = np.stack([(part**2).sum(axis=1) for part in alone])
        crossed = grams_of(alone, rest)
        noise = 1e-3 * np.maximum(targets[i], SMALL) ** 2
        predicted_noise = 1e-3 * np.maximum(np.abs(posterior.mean(crossed)), SMALL) ** 2
        function_variance = posterior.variance(crossed, own) / posterior.excess**2 - predicted_noise
        squares.append((targets[i] - posterior.mean(crossed)[0]) ** 2 / (function_variance[0] + noise))
    expected = max(1.0, float(np.sqrt(np.minimum(squares, 9).mean())))
    assert one_point(parts, targets).excess == pytest.approx(expected, rel=1e-4)


def test_nine_tenths_of_new_targets_lie_within_the_ninety_percent_interval():
    inside = []
    for seed in range(40):
        generator = np.random.default_rng(seed)
        parts = [generator.standard_normal((220, 4)) / 2 for _ in range(2)]
        weights = [np.sqrt(v) * generator.standard_normal(4) for v in (0.02, 0.01)]
        function = 1 + sum(part @ w for part, w in zip(parts, weights, strict=True))
        targets = function * (1 + 0.03 * generator.standard_t(3, 220) / np.sqrt(3))
        known, new = [part[:20] for part in parts], [part[20:] for part in parts]
        posterior = infer(grams_of(known), targets[:20], prior(RANGES))
        own = np.stack([(part**2).sum(axis=1) for part in new])
        std = np.sqrt(posterior.variance(grams_of(new, known), own))
        errors = np.abs(targets[20:] - posterior.mean(grams_of(new, known))) / std
        inside.append(np.mean(errors <= t.ppf(0.95, PREDICTIVE_FREEDOM)))
    assert 0.88 <= np.mean(inside) <= 0.97


def test_the_posterior_is_the_same_again_from_its_parts():
    parts, targets, _ = drawn(5, 12)
    found = infer(grams_of(parts), targets, prior(RANGES))
    rebuilt = again(grams_of(parts), found.targets, found.precisions, found.variances, found.weights)
    assert isinstance(rebuilt, Posterior)
    assert rebuilt.mean(grams_of(parts)) == pytest.approx(found.mean(grams_of(parts)), rel=1e-9)


def test_many_targets_take_few_points_and_no_more_than_some_memory():
    import tracemalloc

    parts, function, generator = drawn(6, 900)
    targets, grams = function * (1 + 0.01 * generator.standard_normal(900)), grams_of(parts)
    tracemalloc.start()
    posterior = infer(grams, targets, prior(RANGES))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 400e6
    assert len(posterior.weights) == most_points(900) < most_points(20) == KEPT
    assert posterior.mean(grams) == pytest.approx(function, rel=0.02)


def test_more_targets_than_can_be_inverted_are_refused():
    assert most_points(MOST_TARGETS) == 1
    many = MOST_TARGETS + 1
    grams = np.broadcast_to(np.zeros(()), (1, many, many))
    with pytest.raises(ValueError, match=f"at most {MOST_TARGETS} measured networks, not {many}"):
        infer(grams, np.ones(many), prior([(1e-4, 0.1)]))
