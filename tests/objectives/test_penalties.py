import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hwnas.objectives import Constraint
from hwnas.objectives.penalties import PENALTIES, Hinge, Lagrangian, Product, Ratio, penalty

FLOPS = Constraint("flops", 50e6)
LATENCY = Constraint("latency_ms", 0.4)
EVERY = {name: penalty(name) for name in PENALTIES}
every_penalty = pytest.mark.parametrize("one", EVERY.values(), ids=EVERY)


def at(ratio: float, constraint: Constraint = FLOPS) -> dict[str, float]:
    """The cost that is `ratio` times the target."""
    return {constraint.metric: ratio * constraint.bound}


def test_the_ratio_counts_on_both_sides_of_the_target():
    assert Ratio(0.1)(2.0, at(1.5), [FLOPS]) == pytest.approx(2.05)
    assert Ratio(0.1)(2.0, at(0.5), [FLOPS]) == pytest.approx(1.95)


def test_the_hinge_counts_beyond_the_target_only():
    assert Hinge(2.0)(1.0, at(1.5), [FLOPS]) == pytest.approx(2.0)
    assert Hinge(2.0)(1.0, at(0.5), [FLOPS]) == 1.0


def test_fbnets_factor_is_alpha_at_the_target():
    assert Product(0.2, 0.6)(3.0, at(1.0), [FLOPS]) == pytest.approx(0.6)
    assert Product(0.2, 0.6)(3.0, at(3.0), [FLOPS]) == pytest.approx(0.6 * 2**0.6)


def test_fbnets_product_is_a_number_below_one_millisecond():
    cost = torch.tensor(0.2, requires_grad=True)
    total = penalty("fbnet")(torch.tensor(2.0), {"latency_ms": cost}, [LATENCY])
    total.backward()
    assert math.isfinite(total.item())
    assert cost.grad is not None and 0 < cost.grad.item() < math.inf


def test_proxylessnas_multiplies_with_another_power():
    assert penalty("proxylessnas")(1.0, at(3.0), [FLOPS]) == pytest.approx(0.2 * 2**0.3)


def test_the_lagrangian_is_the_loss_at_the_target():
    assert Lagrangian(multipliers=(("flops", 3.0),))(1.25, at(1.0), [FLOPS]) == 1.25


def test_the_lagrangian_adds_multiplier_and_damping():
    one = Lagrangian(damping=4.0, multipliers=(("flops", 3.0),))
    assert one(1.0, at(1.5), [FLOPS]) == pytest.approx(1 + 3 * 0.5 + 2 * 0.25)


def test_the_multiplier_follows_the_excess_below_0_too():
    up = Lagrangian(rate=0.5).updated(at(1.5), [FLOPS])
    assert dict(up.multipliers) == {"flops": pytest.approx(0.25)}
    down = Lagrangian(rate=0.5).updated({"flops": torch.tensor(25e6)}, [FLOPS])
    assert dict(down.multipliers) == {"flops": pytest.approx(-0.25)}


def test_without_damping_the_descents_oscillate():
    assert abs(ended_at(60.0, Lagrangian(damping=0.0)) / 60 - 1) > 0.1


@pytest.mark.parametrize("target", [15.0, 25.0, 60.0, 90.0])
@pytest.mark.parametrize("loss_pulls", [-1.0, 2.0], ids=["to cheap", "to costly"])
def test_the_lagrangian_ends_at_the_target_wherever_the_loss_pulls(target: float, loss_pulls: float):
    assert ended_at(target, Lagrangian(), loss_pulls) == pytest.approx(target, rel=0.03)


def ended_at(target: float, one: Lagrangian, loss_pulls: float = 2.0) -> float:
    """The expected cost after 600 steps on three choices, of which the loss favours the costliest."""
    costs = torch.tensor([10.0, 40.0, 100.0])
    losses = -loss_pulls * costs / 100
    bound = [Constraint("flops", target)]
    logits = torch.zeros(3, requires_grad=True)
    optimiser = torch.optim.Adam([logits], lr=0.05)
    for _ in range(600):
        shares = logits.softmax(0)
        expected = {"flops": shares @ costs}
        optimiser.zero_grad()
        one(shares @ losses, expected, bound).backward()
        optimiser.step()
        one = one.updated(expected, bound)
    return float(logits.detach().softmax(0) @ costs)


@every_penalty
@given(ratio=st.floats(0.01, 20), loss=st.floats(0, 10))
def test_tensors_and_floats_agree(one, ratio: float, loss: float):
    costs = at(ratio) | at(2 * ratio, LATENCY)
    plain = one(loss, costs, [FLOPS, LATENCY])
    tensors = {name: torch.tensor(cost, dtype=torch.float64) for name, cost in costs.items()}
    assert float(one(torch.tensor(loss).double(), tensors, [FLOPS, LATENCY])) == pytest.approx(plain)


@every_penalty
@given(ratio=st.floats(1, 20), more=st.floats(0, 5), loss=st.floats(0, 10))
def test_no_penalty_falls_as_a_cost_rises_above_its_target(one, ratio: float, more: float, loss: float):
    assert one(loss, at(ratio + more), [FLOPS]) >= one(loss, at(ratio), [FLOPS])


@every_penalty
@pytest.mark.parametrize("ratio", [0.3, 1.7])
def test_the_gradient_is_that_of_finite_differences(one, ratio: float):
    cost = torch.tensor(ratio * FLOPS.bound, dtype=torch.float64, requires_grad=True)
    loss = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    one(loss, {"flops": cost}, [FLOPS]).backward()
    step = 1e-4
    up, down = (one(2.0, at(ratio + side * step), [FLOPS]) for side in (1, -1))
    slope = 0.0 if cost.grad is None else cost.grad.item() * FLOPS.bound
    assert slope == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-9)


@every_penalty
def test_nothing_is_added_without_constraints(one):
    factor = one(1.0, {}, [])
    assert one(3.0, {}, []) == pytest.approx(3.0 * factor)


@every_penalty
def test_a_cost_that_is_missing_or_none_is_named(one):
    with pytest.raises(ValueError, match="flops"):
        one(1.0, {}, [FLOPS])
    with pytest.raises(ValueError, match="flops"):
        one(1.0, {"flops": torch.tensor(math.nan)}, [FLOPS])


def test_the_product_refuses_a_cost_of_0():
    with pytest.raises(ValueError, match="flops must be above 0"):
        Product()(1.0, at(0.0), [FLOPS])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ration", "unknown penalty 'ration'; did you mean ratio"),
        ("ratio:weight=-1", "weight must be at least 0"),
        ("hinge:weight=-0.5", "weight must be at least 0"),
        ("hinge:weight=nan", "weight must be a finite number"),
        ("ratio:alpha=1", "penalty ratio has no setting 'alpha'; it has weight"),
        ("fbnet:beta=0", "beta must be above 0"),
        ("lagrangian:rate=0", "rate must be above 0"),
        ("lagrangian:damping=-1", "damping must be at least 0"),
        ("lagrangian:multipliers=1", "has no setting 'multipliers'"),
    ],
)
def test_wrong_settings_are_named(text: str, says: str):
    with pytest.raises(ValueError, match=says):
        penalty(text)


def test_settings_are_read():
    assert penalty("ratio:weight=0.3") == Ratio(0.3)
    assert penalty("lagrangian:rate=0.1,damping=0") == Lagrangian(rate=0.1, damping=0.0)
