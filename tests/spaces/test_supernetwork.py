"""What holds of every space's supernetwork."""

import itertools
import zlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.cost import count
from hwnas.network import Builder, Network, Value
from hwnas.network.to_torch import to_torch
from hwnas.spaces import (
    DARTS,
    SPACES,
    Architecture,
    Candidate,
    FBNet,
    MCUNet,
    MobileNetV2,
    NASBench201,
    OFAMobileNetV3,
    ProxylessNAS,
    SearchSpace,
    Supernetwork,
    Term,
    TransNASBench101Micro,
)
from hwnas.spaces.elastic import ElasticStage
from hwnas.spaces.mixtures import candidate_network, groups_of
from hwnas.spaces.supernetwork import every_block
from tests.spaces.toy import Plain

CELLS: list[SearchSpace] = [
    NASBench201(channels=4, cells=2, resolution=8),
    TransNASBench101Micro(channels=4, resolution=32),
    DARTS(channels=4, layers=3, resolution=8),
]
CHAINS: list[SearchSpace] = [
    FBNet(resolution=16),  # down to one pixel
    FBNet(resolution=64, classes=10),
    MobileNetV2(resolution=32, width=0.25, widths=(0.75,), squeeze_excite=(False, True)),
    ProxylessNAS(resolutions=(32,), width=0.25, depths=(1, 2, 3, 4), expansions=(3, 6)),
    OFAMobileNetV3(resolutions=(32,), width=0.25),
    MCUNet(resolution=48, width=0.2, kernels=(3,)),
]
SUPERNETWORKS = {str(space): space.supernetwork() for space in (*CELLS, *CHAINS)}
REFUSED = {"nasbench101", "transnasbench101_macro", "mobilenetv2", "proxylessnas", "ofa_mobilenetv3"}

every_space = pytest.mark.parametrize("supernetwork", SUPERNETWORKS.values(), ids=SUPERNETWORKS.keys())
seeds = st.integers(0, 2**32 - 1)


def drawn(space: SearchSpace, seed: int) -> Architecture:
    return space.random(np.random.default_rng(seed))


def probabilities(supernetwork: Supernetwork, seed: int) -> dict[str, npt.NDArray[np.float64]]:
    generator = np.random.default_rng(seed)
    return {g: generator.dirichlet(np.ones(len(labels))) for g, labels in supernetwork.groups.items()}


def flops(network: Network) -> float:
    return count(network).whole.flops


def params(network: Network) -> float:
    return count(network).whole.params


@every_space
@given(seed=seeds)
@settings(max_examples=15)
def test_one_hot_it_is_the_network_of_the_architecture(supernetwork: Supernetwork, seed: int) -> None:
    architecture = drawn(supernetwork.space, seed)
    expected, found = architecture.network, supernetwork.network(supernetwork.choices(architecture))
    assert {name: one.shape for name, one in found.parameters.items()} == {
        name: one.shape for name, one in expected.parameters.items()
    }
    counts = count(expected).whole
    assert count(found).whole.macs_by_operator == counts.macs_by_operator
    one_hot = supernetwork.one_hot(architecture)
    assert supernetwork.expected(flops, one_hot) == counts.flops
    assert supernetwork.expected(params, one_hot) == counts.params


@pytest.mark.parametrize("space", CHAINS, ids=str)
@given(seed=seeds)
@settings(max_examples=10)
def test_a_chain_of_the_chosen_candidates_is_that_very_network(space: SearchSpace, seed: int) -> None:
    supernetwork, architecture = SUPERNETWORKS[str(space)], drawn(space, seed)
    assert supernetwork.network(supernetwork.choices(architecture)).key == architecture.network.key


@pytest.mark.parametrize("space", CELLS, ids=str)
@given(seed=seeds)
@settings(max_examples=3)
def test_a_cell_of_the_chosen_candidates_computes_the_same(space: SearchSpace, seed: int) -> None:
    supernetwork, architecture = SUPERNETWORKS[str(space)], drawn(space, seed)
    torch.manual_seed(seed)
    expected = to_torch(architecture.network).double()
    found = to_torch(supernetwork.network(supernetwork.choices(architecture))).double()
    found.load_state_dict(expected.state_dict())
    image = torch.randn(2, *architecture.network.inputs[0].shape, dtype=torch.float64)
    torch.testing.assert_close(found(image), expected(image))


@every_space
@given(seed=seeds, certainty=st.floats(0.51, 1.0))
@settings(max_examples=15)
def test_what_is_likelier_than_all_else_is_derived(
    supernetwork: Supernetwork, seed: int, certainty: float
) -> None:
    architecture = drawn(supernetwork.space, seed)
    one_hot, others = supernetwork.one_hot(architecture), probabilities(supernetwork, seed)
    mixed = {g: certainty * one_hot[g] + (1 - certainty) * others[g] for g in supernetwork.groups}
    assert supernetwork.derive(mixed) == architecture


@every_space
@given(seed=seeds)
@settings(max_examples=5)
def test_weights_are_probabilities(supernetwork: Supernetwork, seed: int) -> None:
    for weights in supernetwork.weights(probabilities(supernetwork, seed)).values():
        assert weights.min() >= 0
        assert weights.sum() == pytest.approx(1)


@every_space
def test_the_skeleton_holds_the_fixed_blocks_and_one_candidate_for_each_mixture(
    supernetwork: Supernetwork,
) -> None:
    blocks = dict(every_block(supernetwork.skeleton))
    standing = [blocks[path] for path in supernetwork.mixtures]
    assert flops(supernetwork.skeleton) == sum(map(flops, (*supernetwork.fixed, *standing)))
    for path, candidates in supernetwork.mixtures.items():
        assert blocks[path].key in {one.network.key for one in candidates if one.network is not None}


@every_space
def test_candidates_share_what_is_known_of_them_with_the_networks(supernetwork: Supernetwork) -> None:
    """A block of an architecture is the candidate's `Network` itself, so that it is counted once."""
    candidates = {id(one.network) for mixture in supernetwork.mixtures.values() for one in mixture}
    for architecture in supernetwork.space.sample(3, seed=0):
        blocks = dict(every_block(architecture.network))
        present = [blocks[path] for path in supernetwork.mixtures if path in blocks]
        assert all(id(block) in candidates for block in present)


# --- expectations


class TwoStages(MCUNet):
    """Two elastic stages of at most two layers."""

    stages = (ElasticStage(24, 2), ElasticStage(40, 2))


TWO_STAGES = TwoStages(width=0.2, resolution=32, kernels=(3, 5), expansions=(3, 4), depths=(1, 2))


def mean_over_all_choices(
    supernetwork: Supernetwork, given: Mapping[str, npt.NDArray[np.float64]]
) -> tuple[float, float]:
    """FLOPs and parameters of each combination's architecture, weighted by the combination's probability."""
    total = np.zeros(2)
    space = supernetwork.space
    for indices in itertools.product(*(range(len(labels)) for labels in supernetwork.groups.values())):
        chosen = dict(zip(supernetwork.groups, indices, strict=True))
        encoding = [chosen.get(decision, 0) for decision in space.decisions]
        counts = count(space.from_encoding(encoding).network).whole
        probability = np.prod([given[group][index] for group, index in chosen.items()])
        total += probability * np.array([counts.flops, counts.params])
    return float(total[0]), float(total[1])


@pytest.mark.parametrize("space", [TWO_STAGES, NASBench201(channels=2, cells=1, resolution=4)], ids=str)
def test_the_expectation_is_the_mean_over_all_choices(space: SearchSpace) -> None:
    supernetwork = space.supernetwork()
    given = probabilities(supernetwork, seed=3)
    mean_flops, mean_params = mean_over_all_choices(supernetwork, given)
    assert supernetwork.expected(flops, given) == pytest.approx(mean_flops, rel=1e-10)
    assert supernetwork.expected(params, given) == pytest.approx(mean_params, rel=1e-10)


@given(seed=seeds)
@settings(max_examples=20)
def test_expected_flops_of_nasbench201_are_the_formula(seed: int) -> None:
    """Research note 2.3: Σ_(i,j) Σ_o p_o^(i,j) · FLOP_o^(i,j), summed over the cells, and what is fixed."""
    supernetwork = SUPERNETWORKS[str(CELLS[0])]
    given = probabilities(supernetwork, seed)
    fixed = flops(CELLS[0].from_encoding([0] * 6).network)
    pixels, channels = (64, 16, 4), (4, 8, 16)
    convolution = 2 * sum(2 * p * c * c for p, c in zip(pixels, channels, strict=True))  # of two cells, 1×1
    edges = sum(given[edge][2] * convolution + given[edge][3] * 9 * convolution for edge in given)
    assert supernetwork.expected(flops, given) == pytest.approx(fixed + edges, rel=1e-12)


# --- the cheapest and the dearest


def arbitrary(network: Network) -> float:
    """Some cost of a block, now positive, now negative, without any law."""
    return zlib.crc32(network.key.encode()) / 2**31 - 1


def test_no_architecture_is_cheaper() -> None:
    supernetwork = TWO_STAGES.supernetwork()
    found = supernetwork.cheapest(arbitrary)
    costs = {one: supernetwork.expected(arbitrary, supernetwork.one_hot(one)) for one in TWO_STAGES}
    assert costs[found] == pytest.approx(min(costs.values()))


@every_space
def test_nothing_drawn_lies_beyond_the_cheapest_and_the_dearest(supernetwork: Supernetwork) -> None:
    least = flops(supernetwork.cheapest(flops).network)
    most = flops(supernetwork.cheapest(lambda network: -flops(network)).network)
    assert least < most
    assert all(least <= flops(one.network) <= most for one in supernetwork.space.sample(50, seed=0))


@every_space
def test_no_neighbour_is_cheaper(supernetwork: Supernetwork) -> None:
    found = supernetwork.cheapest(arbitrary)
    cost = supernetwork.expected(arbitrary, supernetwork.one_hot(found))
    for neighbour in itertools.islice(supernetwork.space.neighbours(found), 60):
        other = supernetwork.expected(arbitrary, supernetwork.one_hot(neighbour))
        assert other >= cost - 1e-9


# --- spaces without one


def test_every_space_has_a_supernetwork_or_says_what_prevents_it() -> None:
    refused = set()
    for name, kind in SPACES.items():
        try:
            supernetwork = kind().supernetwork()
        except ValueError:
            refused.add(name)
        else:
            assert supernetwork.mixtures
    assert refused == REFUSED


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nasbench101", "0→1, .*, 5→6 decide together how many channels"),
        ("transnasbench101_macro", "module_1, .*, module_6 change the shape"),
        ("mobilenetv2", r"width_1, .*, width_7 change the shape .*widths=\(1.0,\)"),
        ("proxylessnas", r"resolution changes .*resolutions=\(224,\)"),
        ("ofa_mobilenetv3", r"resolution changes .*resolutions=\(224,\)"),
    ],
)
def test_what_prevents_a_supernetwork_is_named(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"space {name} has no supernetwork: {message}"):
        SPACES[name]().supernetwork()


def test_a_space_of_ones_own_that_does_not_say_how() -> None:
    with pytest.raises(ValueError, match="space plain has no supernetwork: kernel, act are not described"):
        Plain().supernetwork()


# --- a supernetwork of one's own


class Kernels(SearchSpace):
    """A convolution of one of two kernels, or nothing at all."""

    name = "kernels"
    decisions = {"kernel": (3, 5), "present": (False, True)}

    def network(self, architecture: Architecture) -> Network:
        return self.supernetwork().network(dict(zip(self.decisions, architecture.encoding, strict=True)))

    def supernetwork(self) -> Supernetwork:
        b = Builder()
        skeleton = b.build(b.relu(b.block("conv", convolution, b.input(3, 8, 8), kernel=3)))
        candidates = [
            Candidate(
                candidate_network((3, 8, 8), convolution, kernel=kernel),
                (Term("kernel", (index,)), Term("present", (1,))),
            )
            for index, kernel in enumerate((3, 5))
        ]
        mixture = (*candidates, Candidate(None, (Term("present", (0,)),)))
        return Supernetwork(self, skeleton, groups_of(self), {"conv": mixture})


def convolution(b: Builder, x: Value, *, kernel: int) -> Value:
    return b.conv(x, 3, kernel=kernel)


def test_an_absent_candidate_gives_zeros() -> None:
    supernetwork = Kernels().supernetwork()
    network = supernetwork.network({"kernel": 1, "present": 0})
    assert params(network) == 0
    assert not to_torch(network)(torch.randn(2, 3, 8, 8)).any()
    given = {"kernel": np.array([0.25, 0.75]), "present": np.array([0.2, 0.8])}
    assert supernetwork.weights(given)["conv"] == pytest.approx([0.2, 0.6, 0.2])
    assert supernetwork.expected(params, given) == pytest.approx(9 * (0.2 * 9 + 0.6 * 25))


@pytest.mark.parametrize(
    ("mixture", "message"),
    [
        ({"bn": ()}, "mixture bn: the skeleton has no such block; it has conv"),
        ({"conv": (Term("kernel", (0,)),)}, "do not always sum to 1"),
        ({"conv": (Term("kernel", (0, 2)),)}, r"no group kernel with choices \(0, 2\)"),
        ({"conv": (Term("size", (0,)),)}, r"no group size with choices \(0,\)"),
    ],
)
def test_candidates_that_do_not_fit(mixture: dict[str, tuple[Term, ...]], message: str) -> None:
    mixtures = {path: (Candidate(None, terms),) for path, terms in mixture.items()}
    with pytest.raises(ValueError, match=message):
        replace(Kernels().supernetwork(), mixtures=mixtures)


def test_a_candidate_of_another_shape() -> None:
    wide = candidate_network((3, 8, 8), lambda b, x: b.conv(x, 4))
    with pytest.raises(ValueError, match=r"mixture conv: a candidate of shapes .*\(4, 8, 8\)"):
        replace(Kernels().supernetwork(), mixtures={"conv": (Candidate(wide, ()),)})
