import pytest

from hwnas.cost import count, peak_sram_bytes
from hwnas.differentiable.costs.targets import check_targets, costs
from hwnas.differentiable.supernet.weights import CandidateWeights
from hwnas.objectives import Constraint
from tests.differentiable.spaces import CHAINS, SPACES, SUPERNETWORKS


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("counted", ["flops", "macs", "params"])
def test_every_architecture_lies_between_the_extremes(name: str, counted: str):
    supernetwork = SUPERNETWORKS[name]
    cost = costs(CandidateWeights(supernetwork), [counted])[counted]
    least, greatest = cost.extremes(supernetwork)
    for architecture in SPACES[name].sample(20, seed=0):
        found = cost.of(supernetwork, architecture)
        assert found == getattr(count(architecture.network).whole, counted)
        assert least <= found <= greatest


@pytest.mark.parametrize("name", CHAINS)
def test_every_peak_lies_between_the_extremes(name: str):
    supernetwork = SUPERNETWORKS[name]
    cost = costs(CandidateWeights(supernetwork), ["peak_sram_bytes"])["peak_sram_bytes"]
    least, greatest = cost.extremes(supernetwork)
    for architecture in SPACES[name].sample(20, seed=0):
        found = cost.of(supernetwork, architecture)
        assert found == peak_sram_bytes(architecture.network, "liveness")
        assert least <= found <= greatest


def test_the_extremes_of_a_cell_are_those_of_its_smallest_and_largest():
    space, supernetwork = SPACES["nasbench201"], SUPERNETWORKS["nasbench201"]
    cost = costs(CandidateWeights(supernetwork), ["flops"])["flops"]
    ends = [
        space.parse(f"|{one}~0|+|{one}~0|{one}~1|+|{one}~0|{one}~1|{one}~2|")
        for one in ("skip_connect", "nor_conv_3x3")
    ]
    assert cost.extremes(supernetwork) == tuple(cost.of(supernetwork, one) for one in ends)


@pytest.mark.parametrize(("bound", "side"), [(1e6, "below the smallest"), (1e12, "above the largest")])
def test_a_target_outside_the_space_is_refused_with_both_ends(bound: float, side: str):
    supernetwork = SUPERNETWORKS["fbnet"]
    known = costs(CandidateWeights(supernetwork), ["flops"])
    least, greatest = known["flops"].extremes(supernetwork)
    with pytest.raises(ValueError, match=f"{side} .*from {least:.6g} to {greatest:.6g}".replace("+", r"\+")):
        check_targets(supernetwork, known, [Constraint("flops", bound)])
    for end in (least, greatest):
        check_targets(supernetwork, known, [Constraint("flops", end)])


def test_an_unknown_cost_is_said():
    with pytest.raises(
        ValueError, match="no differentiable expectation of 'energy_mj'; there are flops, macs"
    ):
        costs(CandidateWeights(SUPERNETWORKS["fbnet"]), ["energy_mj"])
