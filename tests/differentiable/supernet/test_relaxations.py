from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hwnas.differentiable.supernet.relaxations import fixed, gumbel_softmax, softmax, two_paths

DRAWS = {
    "softmax": lambda logits, rng: softmax(logits),
    "gumbel": lambda logits, rng: gumbel_softmax(logits, rng, temperature=0.7),
    "hard gumbel": lambda logits, rng: gumbel_softmax(logits, rng, temperature=0.7, hard=True),
    "two paths": two_paths,
}
every_draw = pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
LOGITS = {"a": torch.tensor([0.5, -1.0, 2.0, 0.0]), "b": torch.tensor([0.1, 0.2])}


def wanting_gradients(logits=LOGITS):
    return {group: values.clone().requires_grad_() for group, values in logits.items()}


@every_draw
@given(values=st.lists(st.floats(-8, 8, width=32), min_size=1, max_size=6), seed=st.integers(0, 99))
def test_probabilities_are_not_negative_and_sum_to_1(draw, values: list[float], seed: int):
    relaxed = draw({"a": torch.tensor(values)}, np.random.default_rng(seed))
    probabilities = relaxed.probabilities["a"]
    assert probabilities.min() >= 0
    assert float(probabilities.sum()) == pytest.approx(1, abs=1e-6)
    assert (probabilities[~relaxed.active["a"]] == 0).all()


@every_draw
def test_a_choice_that_is_out_is_neither_drawn_nor_computed(draw, seeds: int = 30):
    logits = {"a": torch.tensor([-torch.inf, 0.3, -torch.inf, 0.1])}
    for seed in range(seeds):
        relaxed = draw(logits, np.random.default_rng(seed))
        assert relaxed.probabilities["a"][[0, 2]].tolist() == [0, 0]
        assert relaxed.active["a"][[0, 2]].tolist() == [False, False]


@every_draw
def test_a_group_with_one_choice_left_takes_it(draw):
    logits = {"a": torch.tensor([-torch.inf, 0.3])}
    relaxed = draw(logits, np.random.default_rng(0))
    assert relaxed.probabilities["a"].tolist() == pytest.approx([0, 1])


@every_draw
def test_the_same_seed_draws_the_same(draw):
    one, two = (draw(LOGITS, np.random.default_rng(7)) for _ in range(2))
    assert all(torch.equal(one.probabilities[group], two.probabilities[group]) for group in LOGITS)


def test_softmax_has_the_gradient_of_softmax():
    logits = wanting_gradients()
    softmax(logits).probabilities["a"][2].backward()
    p = LOGITS["a"].softmax(0)
    assert torch.allclose(logits["a"].grad, p[2] * (torch.eye(4)[2] - p))


@pytest.mark.parametrize("temperature", [0.2, 1.0, 5.0])
def test_gumbel_softmax_picks_choices_as_often_as_they_are_probable(temperature: float):
    rng = np.random.default_rng(0)
    n = 4000
    drawn = Counter(
        int(gumbel_softmax(LOGITS, rng, temperature=temperature).probabilities["a"].argmax())
        for _ in range(n)
    )
    for choice, share in enumerate(LOGITS["a"].softmax(0).tolist()):
        assert drawn[choice] / n == pytest.approx(share, abs=4 * (share * (1 - share) / n) ** 0.5)


def test_gumbel_softmax_gets_harder_as_the_temperature_falls():
    greatest = [
        float(gumbel_softmax(LOGITS, np.random.default_rng(0), temperature=t).probabilities["a"].max())
        for t in (5.0, 1.0, 0.1)
    ]
    assert greatest == sorted(greatest)
    assert greatest[-1] > 0.99


def test_the_hard_form_is_one_hot_and_has_the_gradient_of_the_soft_one():
    weights = torch.tensor([3.0, 1.0, -2.0, 0.5])
    gradients = []
    for hard in (False, True):
        logits = wanting_gradients()
        relaxed = gumbel_softmax(logits, np.random.default_rng(3), temperature=0.8, hard=hard)
        (relaxed.probabilities["a"] @ weights).backward()
        gradients.append(logits["a"].grad)
    assert sorted(relaxed.probabilities["a"].tolist()) == [0, 0, 0, 1]
    assert relaxed.active["a"].sum() == 1
    assert torch.allclose(*gradients)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan")])
def test_a_temperature_of_0_or_less_is_refused(temperature: float):
    with pytest.raises(ValueError, match="temperature must be above 0"):
        gumbel_softmax(LOGITS, np.random.default_rng(0), temperature=temperature)


def test_two_paths_compute_two_and_pass_on_one():
    relaxed = two_paths(LOGITS, np.random.default_rng(0))
    for group in LOGITS:
        assert relaxed.active[group].sum() == 2
        assert relaxed.probabilities[group].count_nonzero() == 1
        assert bool(relaxed.active[group][int(relaxed.probabilities[group].argmax())])


def test_two_paths_have_the_gradient_of_the_rescaled_softmax():
    logits = wanting_gradients()
    weights = torch.tensor([3.0, 1.0, -2.0, 0.5])
    relaxed = two_paths(logits, np.random.default_rng(0))
    (relaxed.probabilities["a"] @ weights).backward()
    two = relaxed.active["a"].nonzero().flatten()
    p = LOGITS["a"][two].softmax(0)
    expected = torch.zeros(4)
    expected[two] = p * (weights[two] - p @ weights[two])  # equation 4 of ProxylessNAS
    assert torch.allclose(logits["a"].grad, expected, atol=1e-6)


def test_fixed_takes_arrays():
    relaxed = fixed({"a": np.array([0.0, 1.0])})
    assert relaxed.active["a"].tolist() == [False, True]
