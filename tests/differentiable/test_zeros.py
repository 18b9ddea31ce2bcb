import numpy as np
import pytest

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


@pytest.mark.parametrize("name", [*CHAINS, "darts"])
def test_elsewhere_the_same_is_derived(name: str):
    supernetwork, probabilities = SUPERNETWORKS[name], drawn(name)
    assert supernetwork.derive(without_zeros(supernetwork, probabilities)) == supernetwork.derive(
        probabilities
    )
