import numpy as np
import pytest

from hwnas.differentiable.derivation import derive
from hwnas.differentiable.limits import Limits
from hwnas.differentiable.zeros import without_zeros
from tests.differentiable.spaces import CHAINS, SUPERNETWORKS


def drawn(name: str) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    groups = SUPERNETWORKS[name].groups
    return {group: generator.dirichlet(np.ones(len(labels))) for group, labels in groups.items()}


def test_none_is_never_derived():
    supernetwork, probabilities = SUPERNETWORKS["nasbench201"], drawn("nasbench201")
    for shares in probabilities.values():
        shares[0] += 2
    assert "none" in str(supernetwork.derive(probabilities))
    found = without_zeros(supernetwork, probabilities)
    assert "none" not in str(supernetwork.derive(found))
    for group, shares in found.items():
        assert shares[0] == 0 and (shares[1:] == probabilities[group][1:]).all()


def test_none_is_not_derived_either_where_skips_are_bounded():
    supernetwork = SUPERNETWORKS["nasbench201"]
    shares = {
        "none": 0.0,
        "skip_connect": 1.0,
        "nor_conv_1x1": 1e-40,
        "nor_conv_3x3": 1e-30,
        "avg_pool_3x3": 1e-50,
    }
    probabilities = {
        group: np.array([shares[label] for label in labels]) for group, labels in supernetwork.groups.items()
    }
    found = derive(supernetwork, without_zeros(supernetwork, probabilities), Limits({}, most_skips=1))
    assert sorted(found[group] for group in supernetwork.groups) == ["nor_conv_3x3"] * 5 + ["skip_connect"]


@pytest.mark.parametrize("name", CHAINS)
def test_elsewhere_the_same_is_derived(name: str):
    supernetwork, probabilities = SUPERNETWORKS[name], drawn(name)
    assert supernetwork.derive(without_zeros(supernetwork, probabilities)) == supernetwork.derive(
        probabilities
    )
