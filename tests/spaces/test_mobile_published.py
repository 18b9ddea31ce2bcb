"""Published networks in the spaces that they come from, by the counts that were published with them."""

import csv
from pathlib import Path

import pytest

from hwnas.cost import count
from hwnas.spaces import SPACES, FBNet, OFAMobileNetV3, ProxylessNAS, space

with (Path(__file__).parents[1] / "reference" / "mobile_networks.csv").open(newline="") as file:
    PUBLISHED = list(csv.DictReader(file))

# Facebook's released FBNet-B and C have two 3×3 depthwise convolutions where the space has one 5×5: of
# this many channels, at this resolution (FBNet/models/FBNet-B/fp32/model.pbtxt, operators mnc2_3_dw1, dw2).
TWO_FOR_ONE = {"fbnet-a": (), "fbnet-b": ((192, 28),), "fbnet-c": ((192, 28), (672, 14))}
# MACs, and the parameters of convolutions and classifier without biases (model_info.json of fbnet).
RELEASED = {
    "fbnet-a": (249_921_848, 4_286_480),
    "fbnet-b": (295_561_032, 4_777_296),
    "fbnet-c": (382_984_480, 5_520_784),
}


def printed_like(value: float, text: str) -> str:
    """`value` with as many decimals as `text`."""
    return f"{value:.{len(text.partition('.')[2])}f}"


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: row["name"])
def test_counts_to_the_printed_digits(row: dict[str, str]) -> None:
    counts = count(SPACES[row["space"]].published()[row["name"]].network).whole
    for value, column in ((counts.macs, "macs_millions"), (counts.params, "params_millions")):
        if row[column]:
            assert printed_like(value / 1e6, row[column]) == row[column]


@pytest.mark.parametrize("name", RELEASED)
def test_fbnets_as_released(name: str) -> None:
    network = FBNet.published()[name].network
    macs, weights = RELEASED[name]
    saved = sum((5 * 5 - 2 * 3 * 3) * channels * side**2 for channels, side in TWO_FOR_ONE[name])
    assert count(network).whole.macs == macs + saved
    kernels = sum(
        p.size for path, p in network.parameters.items() if path.endswith(".weight") and "bn" not in path
    )
    assert kernels == weights + sum(7 * channels for channels, _ in TWO_FOR_ONE[name])


def test_every_published_network_is_counted() -> None:
    named = {name for kind in (FBNet, OFAMobileNetV3, ProxylessNAS) for name in kind.published()}
    assert named == {row["name"] for row in PUBLISHED} | set(RELEASED)


@pytest.mark.parametrize("kind", [FBNet, OFAMobileNetV3, ProxylessNAS], ids=lambda kind: kind.name)
def test_their_spaces_and_texts_read_back(kind: type) -> None:
    for architecture in kind.published().values():
        assert space(str(architecture.space)).parse(str(architecture)) == architecture


def test_a_space_without_published_networks_has_none() -> None:
    assert SPACES["nasbench201"].published() == {}
