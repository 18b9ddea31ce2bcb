import pytest

from hwnas.cost import count
from hwnas.spaces import Architecture, MobileNetV2
from hwnas.spaces.mobile_layers import divisible
from hwnas.spaces.mobilenetv2 import STAGES


def original(space: MobileNetV2) -> Architecture:
    """MobileNetV2 itself."""
    chosen: dict[str, float] = {}
    for i, stage in enumerate(STAGES, start=1):
        chosen |= {
            f"kernel_{i}": 3,
            f"expansion_{i}": 1 if i == 1 else 6,
            f"depth_{i}": stage.depth,
            f"width_{i}": 1.0,
        }
    return space.architecture(**chosen)


def test_published_numbers() -> None:
    """Sandler et al., 2018, table 4: 300 M multiply-adds, 3.4 M parameters; torchvision's exact counts."""
    counts = count(original(MobileNetV2()).network).whole
    assert counts.macs == 300_774_272
    assert counts.params == 3_504_872


def test_layers_carry_their_block() -> None:
    network = original(MobileNetV2(resolution=64, classes=10)).network
    assert network.outputs[0].shape == (10,)
    paths = [path for path, _ in network.blocks()]
    assert paths[:3] == ["stem", "stage1.block0", "stage2.block0"]
    assert len(paths) == 1 + sum(stage.depth for stage in STAGES) + 1


@pytest.mark.parametrize(("resolution", "last"), [(224, 7), (96, 3), (32, 4)])
def test_resolution_of_the_last_stage(resolution: int, last: int) -> None:
    network = original(MobileNetV2(resolution=resolution)).network
    pooled = next(layer for layer in network.layers if layer.op == "GlobalAveragePool")
    assert network.values[pooled.inputs[0]].shape == (1280, last, last)


def test_squeeze_and_excitation_is_a_decision_where_offered() -> None:
    space = MobileNetV2(squeeze_excite=(False, True), resolution=64)
    without, with_all = (
        space.architecture(**{**dict(space.sample(1, seed=0)[0]), **{f"se_{i}": se for i in range(1, 8)}})
        for se in (False, True)
    )
    assert not any(layer.op == "HardSigmoid" for layer in without.network.layers)
    blocks = sum(with_all[f"depth_{i}"] for i in range(1, 8))
    assert sum(layer.op == "HardSigmoid" for layer in with_all.network.layers) == blocks


def test_divisible() -> None:
    assert [divisible(x) for x in (3, 8, 11, 12, 33, 8.4)] == [8, 8, 16, 16, 32, 8]
