from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.cost import count
from hwnas.differentiable.costs.targets import costs
from hwnas.differentiable.derivation import _pairs, _Walk, derive
from hwnas.differentiable.guards import Guard
from hwnas.differentiable.limits import CUT_OFF, Limits, Violations
from hwnas.differentiable.records import Epoch
from hwnas.differentiable.skips import count_skips, decided_skips_of_cells, skips_of_cells
from hwnas.differentiable.supernet.weights import CandidateWeights
from hwnas.network.to_torch import to_torch
from hwnas.objectives import Constraint
from hwnas.spaces import Architecture
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


def depends_on_its_input(architecture: Architecture) -> bool:
    """Whether a network in evaluation mode tells two images apart."""
    torch.manual_seed(0)
    module = to_torch(architecture.network).eval()
    images = torch.randn(2, *architecture.network.inputs[0].shape)
    first, second = module(images).detach()
    return not torch.equal(first, second)


@pytest.mark.parametrize("name", SPACES)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_without_limits_it_is_the_most_probable_that_is_connected(name: str, seed: int):
    probabilities = drawn(name, seed)
    likely = SUPERNETWORKS[name].derive(probabilities)
    derived = derive(SUPERNETWORKS[name], probabilities, Limits({}))
    assert depends_on_its_input(derived)
    assert (derived == likely) == depends_on_its_input(likely)


def test_violations_know_which_cells_are_cut_off():
    supernetwork = SUPERNETWORKS["nasbench201"]
    encodings = np.random.default_rng(0).choice([0, 0, 0, 1, 3], size=(40, 6))
    architectures = [SPACES["nasbench201"].from_encoding(one) for one in encodings.tolist()]
    choices = np.array([list(supernetwork.choices(one).values()) for one in architectures])
    is_cut_off = Violations(supernetwork, Limits({}))(choices) == CUT_OFF
    assert 0 < is_cut_off.sum() < 40
    assert is_cut_off.tolist() == [not depends_on_its_input(one) for one in architectures]


@pytest.mark.parametrize("most", [None, 0])
def test_where_none_wins_every_edge_a_cell_gets_its_likeliest_path(most: int | None):
    supernetwork = SUPERNETWORKS["nasbench201"]
    probabilities = {group: np.array([0.6, 0.3, 0.02, 0.02, 0.06]) for group in supernetwork.groups}
    least, _ = EXTREMES["nasbench201"]
    target = Constraint("flops", 1.001 * least)
    for targets in ((), (target,)):
        derived = derive(supernetwork, probabilities, Limits(COSTS["nasbench201"], targets, most))
        operation = "skip_connect" if most is None else "avg_pool_3x3"
        assert str(derived) == f"|none~0|+|none~0|none~1|+|{operation}~0|none~1|none~2|"


def test_pairs_are_changed_where_no_single_change_helps():
    supernetwork, prices = SUPERNETWORKS["fbnet"], COSTS["fbnet"]
    probabilities = drawn("fbnet", 0)
    bounds = {
        metric: low + share * (high - low)
        for metric, share in (("flops", 0.15), ("params", 0.85))
        for low, high in [prices[metric].extremes(supernetwork)]
    }
    limits = Limits(prices, [Constraint(*pair) for pair in bounds.items()])
    by_one = _Walk(supernetwork, probabilities, limits)
    derived = supernetwork.derive(probabilities)
    while (nearer := by_one.by_one(derived)) is not None:
        derived = nearer
    found = derive(supernetwork, probabilities, limits)
    assert by_one.violation(found) < by_one.violation(derived)
    assert by_one.by_one(found) is None


@pytest.mark.parametrize("name", SPACES)
def test_the_choices_of_pairs_are_those_of_their_architectures(name: str):
    space, supernetwork = SPACES[name], SUPERNETWORKS[name]
    (start,) = space.sample(1, seed=3)
    encodings, choices = _pairs(supernetwork, start)
    for number in np.random.default_rng(0).choice(len(encodings), 50):
        changed = Architecture(space, tuple(encodings[number].tolist()))
        assert sum(one != other for one, other in zip(changed.encoding, start.encoding, strict=True)) == 2
        assert choices[number].tolist() == list(supernetwork.choices(changed).values())


@pytest.mark.parametrize("name", SPACES)
def test_violations_are_those_of_costs_and_skips_one_by_one(name: str):
    space, supernetwork, prices = SPACES[name], SUPERNETWORKS[name], COSTS[name]
    architectures = [one for one in space.sample(12, seed=2) if depends_on_its_input(one)]
    bound = float(np.mean([prices["flops"].of(supernetwork, one) for one in architectures]))
    limits = Limits(prices, (Constraint("flops", bound),), most_skips=1)
    choices = np.array([list(supernetwork.choices(one).values()) for one in architectures])
    for one, found in zip(architectures, Violations(supernetwork, limits)(choices), strict=True):
        ratio = prices["flops"].of(supernetwork, one) / bound
        skips = skips_of_cells(supernetwork, supernetwork.choices(one)).values()
        plain = max(ratio - 1, 0.9 - ratio, 0) + sum(max(most - 1, 0) for most in skips)
        assert found == pytest.approx(plain)


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


@pytest.mark.parametrize(("skip", "decided"), [(0.95, True), (0.85, False)])
def test_of_two_candidates_a_skip_is_decided_where_it_is_nearly_all(skip: float, decided: bool):
    supernetwork = SUPERNETWORKS["nasbench201"]
    path, candidates = next(iter(supernetwork.mixtures.items()))
    two = SimpleNamespace(
        skeleton=supernetwork.skeleton, groups=supernetwork.groups, mixtures={path: candidates[1:3]}
    )
    choices = dict.fromkeys(supernetwork.groups, 1)
    probabilities = {group: np.array([0, skip, 1 - skip, 0, 0]) for group in supernetwork.groups}
    assert bool(decided_skips_of_cells(two, choices, probabilities)) == decided


def after(skips: int, probability: float) -> Epoch:
    """An epoch in which the skips of so many groups have this probability, and all else is equally probable."""
    groups = SUPERNETWORKS["nasbench201"].groups
    rest = (1 - probability) / 4
    skipping = tuple(probability if label == "skip_connect" else rest for label in groups["0→1"])
    other = tuple(0.4 if label == "nor_conv_1x1" else 0.15 for label in groups["0→1"])
    shares = {group: skipping if number < skips else other for number, group in enumerate(groups)}
    return replace(EPOCH, probabilities=shares)


def test_the_guard_stops_at_skips_that_are_decided_and_at_stable_ranks():
    supernetwork = SUPERNETWORKS["nasbench201"]
    guard = Guard(most_skips=1, stable_epochs=3, patience=2)
    assert guard.reason_to_stop(supernetwork, []) == ""
    assert guard.reason_to_stop(supernetwork, [after(1, 0.9)] * 2) == ""
    assert guard.reason_to_stop(supernetwork, [after(2, 0.42)] * 2) == ""
    assert guard.reason_to_stop(supernetwork, [after(2, 0.44), after(1, 0.1), after(2, 0.44)]) == ""
    assert "a cell has 2 skips, more than 1" in guard.reason_to_stop(supernetwork, [after(2, 0.44)] * 2)
    moving = [after(1, 0.1), after(1, 0.3), after(1, 0.3)]
    assert guard.reason_to_stop(supernetwork, moving) == ""
    assert "rank for 3 epochs" in guard.reason_to_stop(supernetwork, [*moving, after(1, 0.4)])


@pytest.mark.parametrize("wrong", [{"most_skips": -1}, {"stable_epochs": 1}, {"patience": 0}])
def test_a_wrong_guard_is_said(wrong: dict[str, int]):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be at least"):
        Guard(**wrong)
