import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hwnas.differentiable.supernet.parameters import initial_logits
from hwnas.differentiable.supernet.relaxations import softmax
from hwnas.differentiable.supernet.weights import CandidateWeights
from tests.differentiable.spaces import SUPERNETWORKS

every_supernetwork = pytest.mark.parametrize("supernetwork", SUPERNETWORKS.values(), ids=SUPERNETWORKS)
WEIGHTS = {id(supernetwork): CandidateWeights(supernetwork) for supernetwork in SUPERNETWORKS.values()}


@every_supernetwork
@given(seed=st.integers(0, 1000))
def test_they_are_those_of_the_supernetwork(supernetwork, seed: int):
    rng = np.random.default_rng(seed)
    arrays = {group: rng.dirichlet(np.ones(len(labels))) for group, labels in supernetwork.groups.items()}
    weights = WEIGHTS[id(supernetwork)]
    found = weights({group: torch.tensor(values) for group, values in arrays.items()}).numpy()
    for path, expected in supernetwork.weights(arrays).items():
        assert found[list(weights.rows[path])] == pytest.approx(expected, rel=1e-12)
        assert found[list(weights.rows[path])].sum() == pytest.approx(1)


def test_cells_share_rows():
    weights = WEIGHTS[id(SUPERNETWORKS["nasbench201"])]
    assert len(weights) == 6 * 5
    assert weights.rows["stage0.cell0.edge1_3"] == weights.rows["stage2.cell0.edge1_3"]


@every_supernetwork
def test_logits_start_small_and_want_gradients(supernetwork):
    logits = initial_logits(supernetwork, np.random.default_rng(0))
    assert {group: len(values) for group, values in logits.items()} == {
        group: len(labels) for group, labels in supernetwork.groups.items()
    }
    joined = torch.cat(list(logits.values())).detach()
    assert all(values.is_leaf and values.requires_grad for values in logits.values())
    assert 3e-4 < float(joined.std()) < 3e-3
    WEIGHTS[id(supernetwork)](softmax(logits).probabilities).square().sum().backward()
    assert all(values.grad is not None and values.grad.abs().max() > 0 for values in logits.values())
