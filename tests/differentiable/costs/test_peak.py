import numpy as np
import pytest
import torch

from hwnas.cost import peak_sram_bytes
from hwnas.differentiable.costs.peak import ExpectedPeak
from hwnas.differentiable.supernet.parameters import initial_logits
from hwnas.differentiable.supernet.relaxations import fixed, softmax
from hwnas.differentiable.supernet.weights import CandidateWeights
from tests.differentiable.spaces import CELLS, CHAINS, SPACES, SUPERNETWORKS

WEIGHTS = {name: CandidateWeights(supernetwork) for name, supernetwork in SUPERNETWORKS.items()}


@pytest.mark.parametrize("name", CHAINS)
def test_one_hot_it_is_the_peak_of_the_architectures_network(name: str):
    expected = ExpectedPeak(WEIGHTS[name])
    found = []
    for architecture in SPACES[name].sample(8, seed=0):
        probabilities = fixed(SUPERNETWORKS[name].one_hot(architecture)).probabilities
        found.append(float(expected(probabilities)))
        assert found[-1] == peak_sram_bytes(architecture.network, "liveness")
    assert len(set(found)) > 1


def test_it_is_at_most_the_mean_peak_of_draws():
    supernetwork = SUPERNETWORKS["fbnet"]
    uniform = {group: np.full(len(labels), 1 / len(labels)) for group, labels in supernetwork.groups.items()}
    peaks = [peak_sram_bytes(one.network, "liveness") for one in SPACES["fbnet"].sample(200, seed=0)]
    bound = float(ExpectedPeak(WEIGHTS["fbnet"])(fixed(uniform).probabilities))
    assert min(peaks) < bound <= np.mean(peaks)


@pytest.mark.parametrize("name", CHAINS)
def test_its_gradient_is_that_of_finite_differences(name: str):
    expected = ExpectedPeak(WEIGHTS[name])
    logits = {
        group: values.detach().double().requires_grad_()
        for group, values in initial_logits(SUPERNETWORKS[name], np.random.default_rng(0)).items()
    }
    expected(softmax(logits).probabilities).backward()
    group = max(logits, key=lambda one: float(logits[one].grad.abs().max()))
    gradient = logits[group].grad
    assert gradient.abs().max() > 0
    for choice in range(len(gradient)):
        sides = []
        for step in (1e-5, -1e-5):
            moved = {name: values.detach().clone() for name, values in logits.items()}
            moved[group][choice] += step
            sides.append(float(expected(softmax(moved).probabilities)))
        assert gradient[choice].item() == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-4, abs=1e-3)


def test_another_peak_may_be_given():
    expected = ExpectedPeak(WEIGHTS["fbnet"], lambda block: float(len(block.layers)))
    deepest = fixed(SUPERNETWORKS["fbnet"].one_hot(SPACES["fbnet"].from_encoding([1] * 22)))
    assert float(expected(deepest.probabilities)) == 12.0


@pytest.mark.parametrize("name", CELLS)
def test_cells_are_no_chain(name: str):
    with pytest.raises(
        ValueError, match=r"needs a chain of blocks, and .*cell0.edge\w+ stands inside a cell"
    ):
        ExpectedPeak(WEIGHTS[name])


def test_torch_scalars_come_out():
    supernetwork = SUPERNETWORKS["proxylessnas"]
    one_hot = fixed(supernetwork.one_hot(SPACES["proxylessnas"].sample(1, seed=0)[0]))
    assert ExpectedPeak(WEIGHTS["proxylessnas"])(one_hot.probabilities).shape == torch.Size([])
