import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwnas.objectives import REWARDS, Constraint, reward
from hwnas.objectives.rewards import (
    Absolute,
    AccuracyConstrained,
    Hard,
    Lagrangian,
    Mixed,
    Penalized,
    Soft,
    Weighted,
)

LATENCY = Constraint("latency_ms", 80.0)
MEMORY = Constraint("peak_sram_bytes", 320.0 * 1024)
ENERGY = Constraint("energy_mj", 4.0)
EVERY = {
    name: reward("monas_accuracy:threshold=0.5" if name == "monas_accuracy" else name) for name in REWARDS
}
every_reward = pytest.mark.parametrize("one", EVERY.values(), ids=EVERY)


def at(ratio: float, constraint: Constraint = LATENCY) -> dict[str, float]:
    """The cost that is `ratio` times the bound."""
    return {constraint.metric: ratio * constraint.bound}


def test_hard_is_the_accuracy_within_the_bound_and_0_beyond():
    assert Hard()(0.75, at(1.0), [LATENCY]) == 0.75
    assert Hard()(0.75, at(1.0001), [LATENCY]) == 0.0


def test_mnasnet_buys_5_percent_of_accuracy_by_twice_the_latency():
    # Section 3.1 of the paper: M1 of latency l and accuracy a, M2 of 2l and a(1 + 5 %), similar rewards.
    first = Soft()(0.70, {"latency_ms": 60.0}, [LATENCY])
    second = Soft()(0.70 * 1.05, {"latency_ms": 120.0}, [LATENCY])
    assert second == pytest.approx(first, rel=1e-3)
    assert second / first == pytest.approx(1.05 * 2**-0.07)


def test_mnasnet_hard_is_flat_within_the_bound_and_falls_as_its_inverse():
    hard = reward("mnasnet_hard")
    assert hard(0.75, at(0.2), [LATENCY]) == hard(0.75, at(1.0), [LATENCY]) == 0.75
    assert hard(0.75, at(2.0), [LATENCY]) == pytest.approx(0.375)


def test_tunas_own_numbers():
    # google-research/tunas, search_space_utils_test.py: quality 0.8, cost 1, target 0.5, exponent -0.07.
    target = [Constraint("cost", 0.5)]
    assert Soft(-0.07, -0.07)(0.8, {"cost": 1.0}, target) == pytest.approx(0.8 * 2**-0.07)
    assert Soft(0.0, -0.07)(0.8, {"cost": 1.0}, target) == pytest.approx(0.8 * min(2**-0.07, 1))
    assert Absolute(-0.07)(0.8, {"cost": 1.0}, target) == pytest.approx(0.8 - 0.07)


def test_proxylessnas_has_the_ratio_the_other_way_round():
    assert reward("proxylessnas")(0.7, at(1.3), [LATENCY]) == pytest.approx(0.7 * (1 / 1.3) ** 0.1)


def test_weighted_has_no_unit():
    seconds, cost = Constraint("latency_ms", 0.08), {"latency_ms": 0.06}
    in_ms = Weighted(0.7)(0.6, {"latency_ms": 60.0}, [LATENCY])
    assert in_ms == pytest.approx(0.7 * 0.6 + 0.3 * 0.25)
    assert Weighted(0.7)(0.6, cost, [seconds]) == pytest.approx(in_ms)


def test_monas():
    costs = at(0.25)
    assert Mixed(0.6)(0.9, costs, [LATENCY]) == pytest.approx(0.6 * 0.9 - 0.4 * 0.25)
    assert Mixed(0.6)(0.9, costs, [LATENCY]) == pytest.approx(Weighted(0.6)(0.9, costs, [LATENCY]) - 0.4)
    assert reward("monas_power") == Hard()
    constrained = AccuracyConstrained(0.85)
    assert constrained(0.85, costs, [LATENCY]) == 0.75
    assert constrained(0.84, costs, [LATENCY]) == 0.0
    assert constrained(0.9, at(3.0), [LATENCY]) == 0.0


def test_chamnet_takes_nothing_off_within_the_bound():
    assert Penalized()(0.7, at(1.0), [LATENCY]) == 0.7
    assert Penalized(alpha=2.0, power=2.0)(0.7, at(1.25), [LATENCY]) == pytest.approx(0.7 - 0.25)


@given(st.floats(0, 1), st.floats(0, 0.99))
def test_absolute_is_symmetric(accuracy, distance):
    one = Absolute()
    assert one(accuracy, at(1 - distance), [LATENCY]) == pytest.approx(
        one(accuracy, at(1 + distance), [LATENCY])
    )


def test_several_constraints():
    costs, both = {**at(2.0), **at(1.5, MEMORY)}, [LATENCY, MEMORY]
    assert Hard()(0.8, {**at(0.5), **at(1.5, MEMORY)}, both) == 0.0
    assert reward("mnasnet_hard")(0.9, costs, both) == pytest.approx(0.9 / 2 / 1.5)
    assert Absolute(-0.1)(0.9, costs, both) == pytest.approx(0.9 - 0.1 * (1.0 + 0.5))
    assert Weighted(0.5)(0.9, costs, both) == pytest.approx(0.45 - 0.5 * 0.75)
    assert Penalized(1.0, 1.0)(0.9, costs, both) == pytest.approx(0.9 - 1.5)
    multipliers = (("latency_ms", 0.1), ("peak_sram_bytes", 0.2))
    assert Lagrangian(multipliers=multipliers)(0.9, costs, both) == pytest.approx(0.9 - 0.1 - 0.1)
    costs, three = {**costs, **at(1.25, ENERGY)}, [*both, ENERGY]
    assert reward("mnasnet_hard")(0.9, costs, three) == pytest.approx(0.9 / 2 / 1.5 / 1.25)
    assert Absolute(-0.1)(0.9, costs, three) == pytest.approx(0.9 - 0.1 * (1.0 + 0.5 + 0.25))
    assert Hard()(0.8, {**at(0.5), **at(0.5, MEMORY), **at(1.25, ENERGY)}, three) == 0.0


@every_reward
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.1, 3))
def test_never_falls_with_the_accuracy(one, low, high, ratio):
    low, high = sorted((low, high))
    assert one(low, at(ratio), [LATENCY]) <= one(high, at(ratio), [LATENCY])


@pytest.mark.parametrize("one", [one for name, one in EVERY.items() if name != "absolute"])
@given(st.floats(0, 1), st.floats(0.1, 3), st.floats(0.1, 3))
def test_never_rises_with_the_cost(one, accuracy, low, high):
    low, high = sorted((low, high))
    one = one.updated(at(3.0), [LATENCY])
    assert one(accuracy, at(low), [LATENCY]) >= one(accuracy, at(high), [LATENCY])


@every_reward
@pytest.mark.parametrize("accuracy", [91.2, 1.01, -0.1, math.nan])
def test_an_accuracy_that_is_no_fraction(one, accuracy):
    with pytest.raises(ValueError, match="fraction from 0 to 1"):
        one(accuracy, at(0.5), [LATENCY])


def test_percent_is_recognised():
    with pytest.raises(ValueError, match=r"91.2 looks like percent: divide it by 100"):
        Hard()(91.2, {}, [])


@every_reward
@pytest.mark.parametrize(
    "costs", [{}, {"latency_ms": math.nan}, {"latency_ms": -1.0}, {"latency_ms": math.inf}]
)
def test_a_cost_that_is_missing_or_none(one, costs):
    with pytest.raises(ValueError, match="latency_ms"):
        one(0.5, costs, [LATENCY])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("soft:alpha=0.07", "alpha must be at most 0"),
        ("soft:beta=0", "beta must be below 0"),
        ("soft:alpha=0.1,beta=0.1", "beta must be below 0"),
        ("soft:beta=nan", "beta must be a finite number"),
        ("absolute:beta=0.1", "beta must be below 0"),
        ("weighted:alpha=1.5", "alpha must be from 0 to 1"),
        ("monas_mixed:alpha=-1", "alpha must be from 0 to 1"),
        ("monas_accuracy:threshold=90", "threshold must be a fraction"),
        ("monas_accuracy", "monas_accuracy:threshold=NUMBER"),
        ("chamnet:power=0", "power must be above 0"),
        ("lagrangian:rate=0", "rate must be above 0"),
        ("chamnet:power=200", "power must be from -5 to 5, not 200"),
        ("chamnet:alpha=1e300", "alpha must be from"),
        ("soft:alpha=-1e300", "alpha must be from -5 to 5"),
        ("absolute:beta=-1e308", r"beta must be from -1e\+06 to 1e\+06"),
        ("lagrangian:rate=1e300", "rate must be from"),
        ("hard:beta=-1", "hard has no setting 'beta'; it has none"),
        ("soft:gamma=-1", "it has alpha, beta"),
        ("soft:beta", "setting=number"),
        ("soft:beta=a", "setting=number"),
        ("soft:beta=-1,beta=-2", "each setting once"),
        ("sotf", "did you mean soft"),
    ],
)
def test_settings_that_are_wrong(text, says):
    with pytest.raises(ValueError, match=says):
        reward(text)


def test_a_cost_of_0_is_a_millionth_of_the_bound_to_a_negative_power():
    assert Soft()(0.5, at(0.0), [LATENCY]) == Soft()(0.5, at(1e-6), [LATENCY]) == 0.5 * 1e6**0.07
    assert Soft(0.0, -1.0)(0.5, at(0.0), [LATENCY]) == 0.5


EXTREME = [
    "soft:alpha=-5,beta=-5",
    "absolute:beta=-1e6",
    "chamnet:alpha=1e6,power=5",
    "lagrangian:rate=1e6",
    "weighted:alpha=0",
    "monas_mixed:alpha=0",
]


@pytest.mark.parametrize("text", [*EXTREME, *(f"monas_accuracy:threshold={t}" for t in (1e-300, 1))])
@pytest.mark.parametrize("cost", [0.0, 5e-324, 1.0, 1e308])
@pytest.mark.parametrize("bound", [5e-324, 1.0, 1e308])
def test_no_reward_overflows(text, cost, bound):
    constraints = [Constraint(f"cost_{i}", bound) for i in range(10)]
    costs = {one.metric: cost for one in constraints}
    one = reward(text)
    for _ in range(3):
        assert math.isfinite(one(1.0, costs, constraints))
        assert one(0.0, costs, constraints) <= one(1.0, costs, constraints)
        one = one.updated(costs, constraints)


def test_only_the_hard_reward_needs_no_accuracy_beyond_the_bound():
    both, costs = [LATENCY, MEMORY], {**at(1.1), **at(0.5, MEMORY)}
    needed = {name for name, one in EVERY.items() if one(1.0, costs, both) != one(0.0, costs, both)}
    assert (
        {name for name, one in EVERY.items() if not one.is_hard}
        == needed
        == set(EVERY)
        - {
            "hard",
            "monas_power",
        }
    )


def test_a_budget_of_0_is_no_constraint():
    with pytest.raises(ValueError, match="above 0"):
        Constraint("latency_ms", 0.0)


def test_settings_in_text():
    assert reward("soft:alpha=0, beta=-1") == Soft(0.0, -1.0) == reward("mnasnet_hard")


def test_a_multiplier_rises_beyond_the_bound_and_never_falls_below_0():
    one = Lagrangian(rate=0.1)
    above = one.updated(at(1.5), [LATENCY])
    assert dict(above.multipliers) == {"latency_ms": pytest.approx(0.05)}
    assert dict(above.updated(at(0.1), [LATENCY]).multipliers) == {"latency_ms": 0.0}
    assert one.multipliers == ()


def test_the_multiplier_settles_where_the_constraint_is_met():
    # Accuracies 0.9 and 0.6 at 1.4 and 0.6 times the bound: at λ = 0.375 both are worth the same.
    accuracies, ratios = (0.9, 0.6), (1.4, 0.6)
    one, seen = Lagrangian(rate=0.01), []
    for _ in range(2000):
        chosen = max((0, 1), key=lambda i: one(accuracies[i], at(ratios[i]), [LATENCY]))
        one = one.updated(at(ratios[chosen]), [LATENCY])
        seen.append(ratios[chosen])
    assert dict(one.multipliers)["latency_ms"] == pytest.approx(0.375, abs=0.01)
    assert sum(seen[-1000:]) / 1000 == pytest.approx(1.0, abs=0.01)
