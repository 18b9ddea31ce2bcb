"""OFAMobileNetV3 and ProxylessNAS: layers, decisions without effect, text."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from hwnas.cost import count
from hwnas.cost.check import differences
from hwnas.network.to_torch import to_torch
from hwnas.spaces import OFAMobileNetV3, ProxylessNAS, space
from hwnas.spaces.elastic import ElasticSpace

from ..network.agreement import assert_agree, run_onnx

SPACES = [
    OFAMobileNetV3(),
    ProxylessNAS(),
    ProxylessNAS(expansions=(3, 6), depths=(1, 2, 3, 4), resolutions=(224,), width=0.35),
]
SMALL = [
    OFAMobileNetV3(resolutions=(32, 64), width=0.5, classes=10),
    ProxylessNAS(resolutions=(32, 64), width=0.5, classes=10),
]
TINY = OFAMobileNetV3(kernels=(3, 5), expansions=(3,), depths=(1, 2), resolutions=(32,))
seeds = st.integers(0, 2**32 - 1)
by_name = pytest.mark.parametrize("space", SPACES, ids=str)


def draw(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_size() -> None:
    """Cai et al., section 3.1: "roughly 2·10^19 different neural networks", at each of 25 resolutions."""
    at_one = OFAMobileNetV3(resolutions=(224,)).size
    assert at_one == (9**2 + 9**3 + 9**4) ** 5
    assert f"{at_one:.0e}" == "2e+19"
    assert OFAMobileNetV3().size == 25 * at_one
    assert ProxylessNAS().size == 25 * at_one * 9


def test_each_network_is_one_architecture() -> None:
    every = list(TINY)
    assert len(every) == TINY.size == (2 + 4) ** 5
    some = every[::37]
    assert len({architecture.network.key for architecture in some}) == len(some)


@by_name
@settings(max_examples=6)
@given(seed=seeds)
def test_decisions_beyond_the_depth_have_no_effect(space: ElasticSpace, seed: int) -> None:
    generator = draw(seed)
    sizes = [len(choices) for choices in space.choices]
    encoding = tuple(generator.integers(sizes).tolist())
    architecture = space.from_encoding(encoding)
    assert space.effective(architecture.encoding) == architecture.encoding
    kept = [i for i, (a, b) in enumerate(zip(encoding, architecture.encoding, strict=True)) if a == b]
    changed = set(range(len(encoding))) - set(kept)
    names = list(space.decisions)
    for position in changed:
        _, stage, layer = names[position].split("_")
        assert int(layer) > architecture[f"depth_{stage}"]
    for position in range(seed % 6, len(sizes), 6):
        other = (architecture.encoding[position] + 1) % sizes[position]
        moved = space.from_encoding(
            (*architecture.encoding[:position], other, *architecture.encoding[position + 1 :])
        )
        assert (moved == architecture) == (moved.network.key == architecture.network.key)


@by_name
@settings(max_examples=20)
@given(seed=seeds)
def test_all_that_moves_stays_valid(space: ElasticSpace, seed: int) -> None:
    generator = draw(seed)
    mother, father = space.random(generator), space.random(generator)
    mutant, child = space.mutate(mother, generator), space.crossover(mother, father, generator)
    for architecture in (mother, father, mutant, child):
        assert space.is_valid(architecture)
    assert mutant != mother
    neighbours = list(space.neighbours(mother))
    assert mutant in neighbours
    assert mother not in neighbours
    assert len(set(neighbours)) == len(neighbours)
    assert all(c in pair for c, *pair in zip(child.encoding, mother.encoding, father.encoding, strict=True))


@by_name
@settings(max_examples=20)
@given(seed=seeds)
def test_round_trips(space: ElasticSpace, seed: int) -> None:
    a = space.random(draw(seed))
    assert space.parse(str(a)) == a
    assert space.from_encoding(a.encoding) == a
    assert space.architecture(**dict(a)) == a
    assert space.from_layers(a["resolution"], space.layers(a)) == a


def test_draws_are_uniform_in_every_decision_that_has_an_effect() -> None:
    space, generator = OFAMobileNetV3(), draw(0)
    drawn = [space.random(generator) for _ in range(3000)]
    assert chisquare(list(Counter(a["resolution"] for a in drawn).values())).pvalue > 0.001
    assert chisquare(list(Counter(a["depth_3"] for a in drawn).values())).pvalue > 0.001
    deep = [a for a in drawn if a["depth_3"] == 4]
    layers = Counter((a["kernel_3_4"], a["expansion_3_4"]) for a in deep)
    assert len(layers) == 9
    assert chisquare(list(layers.values())).pvalue > 0.001
    assert {(a["kernel_3_4"], a["expansion_3_4"]) for a in drawn if a["depth_3"] < 4} == {(3, 3)}


def test_mutations_are_uniform_over_what_has_an_effect() -> None:
    generator = draw(2)
    start = TINY.parse("r32-k3e3-k3e3-k3e3-k3e3-k5e3,k5e3")
    seen = Counter(TINY.mutate(start, generator) for _ in range(6000))
    neighbours = list(TINY.neighbours(start))
    assert set(seen) == set(neighbours)
    assert len(neighbours) == 5 + 6  # a depth each, and the kernels of the six layers
    assert chisquare([seen[a] for a in neighbours]).pvalue > 0.001


def test_layers_of_a_network() -> None:
    a = OFAMobileNetV3().parse("r160-k7e6,k3e4-k3e3,k5e3-k3e3,k3e3,k3e3-k3e6,k3e6-k3e3,k3e3,k3e3,k5e4")
    network = a.network
    assert network.inputs[0].shape == (3, 160, 160)
    paths = [path for path, _ in network.blocks()]
    assert paths[:4] == ["stem", "stage0.block0", "stage1.block0", "stage1.block1"]
    assert len(paths) == 2 + 2 + 2 + 3 + 2 + 4 + 1
    first = dict(network.blocks())["stage1.block0"]
    kernels = [layer.attributes["group"] for layer in first.layers if layer.op == "Conv"]
    assert kernels == [1, 96, 1]
    gated = [path for path, block in network.blocks() if any(x.op == "HardSigmoid" for x in block.layers)]
    assert {path.split(".")[0] for path in gated} == {"stage2", "stage4", "stage5"}


def activations(space: ElasticSpace) -> dict[str, Counter[str]]:
    """How often each activation is used, by stage, in the smallest network."""
    found: dict[str, Counter[str]] = {}
    network = space.from_encoding((0,) * len(space.choices)).network
    for path, block in network.blocks():
        ops = [layer.op for layer in block.layers if layer.op in ("Relu", "Clip", "HardSwish")]
        found.setdefault(path.split(".")[0], Counter()).update(ops)
    return found


def test_activations() -> None:
    """Two for each layer, one for a first block, and the ReLU of squeeze-and-excitation."""
    assert activations(OFAMobileNetV3()) == {
        "stem": {"HardSwish": 1},
        "stage0": {"Relu": 1},
        "stage1": {"Relu": 4},
        "stage2": {"Relu": 4 + 2},
        "stage3": {"HardSwish": 4},
        "stage4": {"HardSwish": 4, "Relu": 2},
        "stage5": {"HardSwish": 4, "Relu": 2},
        "head": {"HardSwish": 2},
    }
    assert {op for used in activations(ProxylessNAS()).values() for op in used} == {"Clip"}


def test_children_take_depths_from_both_parents() -> None:
    space, generator = OFAMobileNetV3(), draw(4)
    deep = space.parse("r128" + "-k7e6,k7e6,k7e6,k7e6" * 5)
    shallow = space.parse("r128" + "-k5e4,k5e4" * 5)
    children = [space.crossover(deep, shallow, generator) for _ in range(300)]
    depths = Counter(child[f"depth_{stage}"] for child in children for stage in range(1, 6))
    assert chisquare([depths[2], depths[4]]).pvalue > 0.001


def test_once_for_alls_own_configuration() -> None:
    """HELP's network for a budget of 147 ms on a Xeon Gold 6226 (Lee et al., 2021)."""
    ks = [3, 3, 5, 7, 3, 3, 5, 3, 7, 7, 3, 7, 3, 7, 5, 5, 3, 3, 5, 5]
    e = [3, 3, 4, 3, 6, 4, 3, 4, 6, 4, 6, 6, 6, 4, 4, 6, 6, 6, 6, 3]
    a = OFAMobileNetV3().from_config(ks=ks, e=e, d=[2, 2, 2, 3, 3], r=224)
    assert str(a) == "r224-k3e3,k3e3-k3e6,k3e4-k7e6,k7e4-k3e6,k7e4,k5e4-k3e6,k3e6,k5e6"


@pytest.mark.parametrize("space", SMALL, ids=lambda s: s.name)
def test_torch_and_onnxruntime_agree(space: ElasticSpace) -> None:
    for architecture in space.sample(2, seed=1):
        assert_agree(architecture.network)


@pytest.mark.parametrize("space", SMALL, ids=lambda s: s.name)
def test_fvcore_counts_alike(space: ElasticSpace) -> None:
    import torch

    network = space.sample(1, seed=3)[0].network
    example = torch.zeros(1, *network.inputs[0].shape)
    assert differences(count(network).whole, to_torch(network), example) == []


def test_onnx_at_full_size() -> None:
    from hwnas.network.to_onnx import to_onnx

    network = OFAMobileNetV3().parse("r128-k3e3,k3e3-k3e3,k3e3-k3e3,k3e3-k3e3,k3e3-k3e3,k3e3").network
    (output,) = run_onnx(to_onnx(network), [np.zeros((1, 3, 128, 128), np.float32)])
    assert output.shape == (1, 1000)


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("must be a resolution", lambda: OFAMobileNetV3().parse("k3e3")),
        ("resolution=130 is not in space", lambda: TINY.parse("r130-k3e3-k3e3-k3e3-k3e3-k3e3")),
        ("5 stages expected in space ofa_mobilenetv3, not 1", lambda: TINY.parse("r32-k3e3")),
        ("'k3x3' in .* as in k3e4", lambda: TINY.parse("r32-k3x3-k3e3-k3e3-k3e3-k3e3")),
        ("kernel_1_1=7 is not in space", lambda: TINY.parse("r32-k7e3-k3e3-k3e3-k3e3-k3e3")),
        ("depth_1=3 is not in space", lambda: TINY.parse("r32-k3e3,k3e3,k3e3-k3e3-k3e3-k3e3-k3e3")),
        ("ks must have 20 values", lambda: OFAMobileNetV3().from_config(ks=[3], e=[3], d=[2] * 5, r=224)),
        (
            "d must be at most",
            lambda: OFAMobileNetV3().from_config(ks=[3] * 20, e=[3] * 20, d=[5] + [2] * 4, r=224),
        ),
        ("kernels must be odd", lambda: OFAMobileNetV3(kernels=(2,))),
        ("kernels must be whole numbers", lambda: OFAMobileNetV3(kernels=())),
        ("expansions must be whole numbers", lambda: OFAMobileNetV3(expansions=(0.5,))),
        ("depths must be whole numbers of at least 1", lambda: ProxylessNAS(depths=(0,))),
        ("resolutions must be whole numbers of at least 32", lambda: ProxylessNAS(resolutions=(16,))),
        ("classes must be", lambda: ProxylessNAS(classes=1)),
        ("width must be above 0", lambda: ProxylessNAS(width=0)),
        ("stage_widths must be six", lambda: ProxylessNAS(stage_widths=(24, 40))),
        ("distinct choices", lambda: ProxylessNAS(depths=(2, 2)).choices),
        ("no setting 'resolution'", lambda: space("proxylessnas:resolution=224")),
    ],
)
def test_errors_say_what_would_be_right(message: str, call: object) -> None:
    with pytest.raises(ValueError, match=message):
        call()
