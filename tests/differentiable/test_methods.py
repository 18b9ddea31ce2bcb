import numpy as np
import pytest
import torch

from hwnas.differentiable.auxiliary import AuxiliarySkips
from hwnas.differentiable.methods import METHODS, DARTSMinus, method
from hwnas.differentiable.supernet.module import Supernet
from hwnas.differentiable.supernet.parameters import initial_logits
from hwnas.differentiable.supernet.relaxations import softmax
from tests.differentiable.spaces import SUPERNETWORKS

LOGITS = initial_logits(SUPERNETWORKS["nasbench201"], np.random.default_rng(0))
every_method = pytest.mark.parametrize("name", METHODS)


@every_method
def test_what_is_drawn_sums_to_one_and_is_computed(name: str):
    chosen = method(name)
    for draw in (chosen.for_weights, chosen.for_logits):
        relaxed = draw(LOGITS, 0.5, np.random.default_rng(0))
        for group, shares in relaxed.probabilities.items():
            assert float(shares.detach().sum()) == pytest.approx(1)
            assert relaxed.active[group][shares > 0].all()


@every_method
def test_the_rate_falls_from_its_start_to_its_floor(name: str):
    chosen = method(name)
    rates = [chosen.weight_rate_at(share) for share in np.linspace(0, 1, 11)]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == chosen.weight_rate
    assert rates[-1] == pytest.approx(chosen.floor * chosen.weight_rate)


@pytest.mark.parametrize(("name", "start", "end"), [("gdas", 10, 0.1), ("fbnet", 5, 0.0871)])
def test_temperatures_are_the_papers(name: str, start: float, end: float):
    chosen = method(name)
    assert chosen.temperature(0) == pytest.approx(start)
    assert chosen.temperature(1) == pytest.approx(end, rel=1e-3)


@pytest.mark.parametrize(("name", "computed"), [("darts", 5), ("gdas", 1), ("fbnet", 5), ("proxylessnas", 1)])
def test_how_many_candidates_a_step_of_the_weights_computes(name: str, computed: int):
    relaxed = method(name).for_weights(LOGITS, 0.5, np.random.default_rng(0))
    assert {int(active.sum()) for active in relaxed.active.values()} == {computed}


def test_proxylessnas_moves_logits_by_two_paths():
    relaxed = method("proxylessnas").for_logits(LOGITS, 0.5, np.random.default_rng(0))
    assert {int(active.sum()) for active in relaxed.active.values()} == {2}


def test_what_proxylessnas_did_not_sample_keeps_its_probability():
    chosen = method("proxylessnas")
    drawn = chosen.for_logits(LOGITS, 0.5, np.random.default_rng(0))
    moved = {group: values.detach().clone() for group, values in LOGITS.items()}
    for group, values in moved.items():
        values[drawn.active[group]] += torch.tensor([0.7, -0.2])
    chosen.settle(moved, LOGITS, drawn)
    before, after = softmax(LOGITS).probabilities, softmax(moved).probabilities
    for group, active in drawn.active.items():
        assert torch.allclose(before[group][~active], after[group][~active], atol=1e-7)
        assert not torch.allclose(before[group][active], after[group][active], atol=1e-2)


def test_costs_are_expected_of_what_fbnet_draws_and_of_the_softmax_otherwise():
    for name in METHODS:
        drawn = method(name).for_logits(LOGITS, 0.5, np.random.default_rng(0))
        priced = method(name).priced(LOGITS, drawn)
        wanted = drawn if name == "fbnet" else softmax(LOGITS)
        assert all(torch.equal(priced[group], wanted.probabilities[group]) for group in LOGITS)


def test_settings_are_read_from_the_name():
    chosen = method("darts:order=2,rate=0.01")
    assert (chosen.order, chosen.rate, chosen.weight_rate) == (2, 0.01, 0.025)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("darts:order=1.5", "order must be 1 or 2, not 1.5"),
        ("gdas:order=2", "method gdas has no setting 'order'; it has rate, weight_rate"),
        ("gdas:weight_rate=-1", "weight_rate must be a finite number above 0, not -1"),
        ("enas", "unknown method 'enas'"),
    ],
)
def test_a_wrong_method_is_said(text: str, message: str):
    with pytest.raises(ValueError, match=message):
        method(text)


@pytest.mark.parametrize("space", ["nasbench201", "darts", "fbnet"])
def test_the_auxiliary_skips_add_their_weight_times_a_skip(space: str):
    torch.manual_seed(0)
    supernet = Supernet(SUPERNETWORKS[space]).eval()
    skips = AuxiliarySkips(supernet).eval()
    relaxed = softmax(initial_logits(supernet.supernetwork, np.random.default_rng(0)))
    seen: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    path = next(iter(supernet.supernetwork.mixtures))
    supernet.body.get_submodule(path).register_forward_hook(
        lambda module, inputs, output: seen.update({"call": (inputs[0], output)})
    )
    images = torch.randn(1, *supernet.supernetwork.skeleton.inputs[0].shape)
    with torch.no_grad():
        supernet(images, relaxed)
        without = seen["call"][1]
        skips.weight = 0.5
        supernet(images, relaxed)
        x, found = seen["call"]
        assert torch.allclose(found, without + 0.5 * skips.skips[0](x), atol=1e-6)
    assert not torch.equal(found, without)


def test_the_weight_of_the_auxiliary_skips_falls_to_nothing():
    assert [DARTSMinus().auxiliary(share) for share in (0, 0.25, 1)] == [1, 0.75, 0]
