from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.cost import count
from hwnas.differentiable.costs.targets import costs
from hwnas.differentiable.derivation import Limits, derive
from hwnas.differentiable.guards import Guard
from hwnas.differentiable.records import Epoch
from hwnas.differentiable.skips import count_skips, skips_of_cells
from hwnas.differentiable.supernet.weights import CandidateWeights
from hwnas.objectives import Constraint
from tests.differentiable.spaces import CELLS, SPACES, SUPERNETWORKS
from tests.differentiable.test_records import EPOCH

COSTS = {
    name: costs(CandidateWeights(supernetwork), ["flops", "params"])
    for name, supernetwork in SUPERNETWORKS.items()
}
EXTREMES = {name: COSTS[name]["flops"].extremes(SUPERNETWORKS[name]) for name in SPACES}


def drawn(name: str, seed: int, concentration: float = 0.5) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    groups = SUPERNETWORKS[name].groups
    return {group: rng.dirichlet(np.full(len(labels), concentration)) for group, labels in groups.items()}


@pytest.mark.parametrize("name", SPACES)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_without_limits_it_is_the_most_probable(name: str, seed: int):
    probabilities = drawn(name, seed)
    assert derive(SUPERNETWORKS[name], probabilities, Limits({})) == SUPERNETWORKS[name].derive(probabilities)


@pytest.mark.parametrize("name", SPACES)
@given(seed=st.integers(0, 10_000), share=st.floats(0.25, 0.8))
@settings(max_examples=6, deadline=None)
def test_it_is_at_a_target_that_the_space_has(name: str, seed: int, share: float):
    least, greatest = EXTREMES[name]
    target = least + share * (greatest - least)
    limits = Limits(COSTS[name], (Constraint("flops", target),))
    found = derive(SUPERNETWORKS[name], drawn(name, seed), limits)
    ratio = count(found.network).whole.flops / target
    assert 0.9 <= ratio <= 1 or (name == "nasbench201" and 0.85 <= ratio <= 1.1)  # six edges are coarse


def test_a_decided_choice_is_the_last_to_change():
    supernetwork = SUPERNETWORKS["nasbench201"]
    sure = np.array([1e-9, 1e-9, 1e-9, 1 - 4e-9, 1e-9])
    open_ = np.array([0.21, 0.2, 0.19, 0.22, 0.18])
    probabilities = {group: sure if group in ("0→1", "2→3") else open_ for group in supernetwork.groups}
    most = count(supernetwork.derive(probabilities).network).whole.flops
    limits = Limits(COSTS["nasbench201"], (Constraint("flops", 0.6 * most),))
    derived = derive(supernetwork, probabilities, limits)
    assert (derived["0→1"], derived["2→3"]) == ("nor_conv_3x3", "nor_conv_3x3")
    assert derived != supernetwork.derive(probabilities)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("most", [0, 1])
def test_no_cell_has_more_skips_than_allowed(name: str, most: int):
    supernetwork = SUPERNETWORKS[name]
    probabilities = drawn(name, 0)
    for group, labels in supernetwork.groups.items():
        skips = np.array([label == "skip_connect" for label in labels])
        probabilities[group] = 0.1 * probabilities[group] + 0.9 * skips
    collapsed = supernetwork.choices(supernetwork.derive(probabilities))
    assert max(skips_of_cells(supernetwork, collapsed).values()) >= 6
    found = derive(supernetwork, probabilities, Limits({}, most_skips=most))
    left = skips_of_cells(supernetwork, supernetwork.choices(found))
    assert max(left.values(), default=0) == most


def test_skips_of_cells_alike_count_once():
    space, supernetwork = SPACES["nasbench201"], SUPERNETWORKS["nasbench201"]
    text = "|skip_connect~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|avg_pool_3x3~1|skip_connect~2|"
    choices = supernetwork.choices(space.parse(text))
    assert count_skips(supernetwork, choices) == 3
    assert set(skips_of_cells(supernetwork, choices).values()) == {3}
    assert len(skips_of_cells(supernetwork, choices)) == 3


def test_skips_of_a_chain_are_of_no_cell():
    space, supernetwork = SPACES["fbnet"], SUPERNETWORKS["fbnet"]
    choices = supernetwork.choices(space.parse(",".join(["skip"] * 5 + ["k3_e1"] * 17)))
    assert count_skips(supernetwork, choices) == 5
    assert skips_of_cells(supernetwork, choices) == {}


def after(text: str, of_skips: float) -> Epoch:
    """An epoch with this architecture, and this probability of each group's skip."""
    groups = SUPERNETWORKS["nasbench201"].groups
    rest = (1 - of_skips) / 4
    shares = tuple(of_skips if label == "skip_connect" else rest for label in groups["0→1"])
    return replace(EPOCH, derived=text, probabilities=dict.fromkeys(groups, shares))


def test_the_guard_stops_at_skips_that_are_decided_and_at_stable_ranks():
    supernetwork = SUPERNETWORKS["nasbench201"]
    one = "|skip_connect~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    two = "|skip_connect~0|+|skip_connect~0|none~1|+|none~0|none~1|none~2|"
    guard = Guard(most_skips=1, stable_epochs=3, patience=2)
    assert guard.reason_to_stop(supernetwork, []) == ""
    assert guard.reason_to_stop(supernetwork, [after(one, 0.9)] * 2) == ""
    assert guard.reason_to_stop(supernetwork, [after(two, 0.39)] * 2) == ""
    assert guard.reason_to_stop(supernetwork, [after(two, 0.41), after(one, 0.1), after(two, 0.41)]) == ""
    assert "a cell has 2 skips, more than 1" in guard.reason_to_stop(supernetwork, [after(two, 0.41)] * 2)
    moving = [after(one, 0.1), after(one, 0.3), after(one, 0.3)]
    assert guard.reason_to_stop(supernetwork, moving) == ""
    assert "rank for 3 epochs" in guard.reason_to_stop(supernetwork, [*moving, after(one, 0.4)])


@pytest.mark.parametrize("wrong", [{"most_skips": -1}, {"stable_epochs": 1}, {"patience": 0}])
def test_a_wrong_guard_is_said(wrong: dict[str, int]):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be at least"):
        Guard(**wrong)
