import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hwnas.cost import count
from hwnas.cost.check import differences
from hwnas.network import Builder
from hwnas.network.to_torch import to_torch
from hwnas.spaces import FBNet, space
from hwnas.spaces.fbnet import LAYERS, NAMES, channel_shuffle

from ..network.agreement import assert_agree

CIFAR = FBNet(resolution=32, classes=100)


def all_of(name: str, of: FBNet = CIFAR):
    return of.parse(",".join([name] * LAYERS))


def test_size() -> None:
    """Wu et al., section 3.1: "9^22 ≈ 10^21 possible architectures"."""
    assert FBNet().size == 9**22


@given(encoding=st.tuples(*[st.integers(0, 8)] * LAYERS))
def test_round_trips(encoding: tuple[int, ...]) -> None:
    a = CIFAR.from_encoding(encoding)
    assert CIFAR.parse(str(a)) == a
    assert str(a).split(",") == [NAMES[index] for index in encoding]
    assert a.network.outputs[0].shape == (100,)


@pytest.mark.parametrize(
    ("of", "side"), [(FBNet(), 7), (CIFAR, 4), (FBNet(resolution=32, small_input=False), 1)]
)
def test_resolution_of_the_last_stage(of: FBNet, side: int) -> None:
    network = all_of("k3_e1", of).network
    pooled = next(layer for layer in network.layers if layer.op == "GlobalAveragePool")
    assert network.values[pooled.inputs[0]].shape == (of.head_channels, side, side)


def test_the_head_of_small_inputs_is_narrower() -> None:
    assert (FBNet().head_channels, CIFAR.head_channels) == (1984, 1504)
    assert FBNet(head_channels=1504) != FBNet() == FBNet(head_channels=1984)


def test_skips_are_layers_only_where_the_shape_changes() -> None:
    paths = [path for path, _ in all_of("skip").network.blocks()]
    assert paths == ["stem", *(f"stage{i}.block0" for i in range(2, 8)), "head"]


def test_blocks_are_those_of_table_2() -> None:
    for name, expansion, groups in (("k3_e1", 1, 1), ("k3_e1_g2", 1, 2), ("k5_e6", 6, 1)):
        block = dict(all_of(name).network.blocks())["stage2.block1"]
        convolutions = [layer for layer in block.layers if layer.op == "Conv"]
        assert [layer.attributes["group"] for layer in convolutions] == [groups, 24 * expansion, groups]
        assert convolutions[1].attributes["kernel_shape"] == (int(name[1]),) * 2
        assert ("Transpose" in [layer.op for layer in block.layers]) == (groups > 1)
        assert [layer.op for layer in block.layers].count("Relu") == 2
        assert block.layers[-1].op == "Add"
    assert not any(layer.op == "Clip" for layer in all_of("k3_e1").network.layers)


def test_channel_shuffle_is_torchs() -> None:
    b = Builder()
    network = b.build(channel_shuffle(b, b.input(6, 2, 2), groups=2))
    x = torch.randn(3, 6, 2, 2)
    expected = torch.nn.functional.channel_shuffle(x, 2)
    assert torch.equal(to_torch(network)(x), expected)


@pytest.mark.parametrize("seed", [0, 1])
def test_torch_and_onnxruntime_agree(seed: int) -> None:
    assert_agree(CIFAR.sample(1, seed=seed)[0].network)
    assert_agree(all_of("k5_e1_g2").network)


def test_fvcore_counts_alike() -> None:
    network = CIFAR.sample(1, seed=2)[0].network
    assert differences(count(network).whole, to_torch(network), torch.zeros(1, 3, 32, 32)) == []


def test_settings_read_back() -> None:
    for of in (FBNet(), CIFAR, FBNet(resolution=32, small_input=False, head_channels=100)):
        assert space(str(of)) == of


def test_mutations_change_one_layer() -> None:
    generator = np.random.default_rng(0)
    a = CIFAR.random(generator)
    for _ in range(50):
        mutant = CIFAR.mutate(a, generator)
        assert sum(x != y for x, y in zip(a.encoding, mutant.encoding, strict=True)) == 1


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("22 candidates separated by commas expected, not 1", lambda: CIFAR.parse("skip")),
        ("'k7_e1' is no candidate", lambda: all_of("k7_e1")),
        ("resolution must be", lambda: FBNet(resolution=8)),
        ("resolution must be", lambda: FBNet(resolution="224")),
        ("classes must be", lambda: FBNet(classes=1)),
        ("head_channels must be", lambda: FBNet(head_channels=0)),
    ],
)
def test_errors_say_what_would_be_right(message: str, call: object) -> None:
    with pytest.raises(ValueError, match=message):
        call()
