import itertools
import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas.cost import count
from hwnas.network.to_torch import to_torch
from hwnas.spaces import SPACES, SearchSpace, space
from hwnas.spaces.transnasbench101 import OPERATIONS, TransNASBench101Macro, TransNASBench101Micro

MICRO = TransNASBench101Micro(channels=4, resolution=32)
MACRO = TransNASBench101Macro(channels=4, resolution=32)
seeds = st.integers(0, 2**32 - 1)


def macro_params(text: str, classes: int) -> int:
    """Trainable parameters of a macro network, added up layer by layer."""
    channels, codes, _ = text.split("-")
    c = int(channels)
    total = 3 * 9 * (c // 2) + c + (c // 2) * 9 * c + 2 * c  # stem
    for code in codes:
        out = 2 * c if code in "24" else c
        total += 9 * c * out + 9 * out * out + 4 * out  # first block
        total += c * out + 2 * out if code != "1" else 0  # its shortcut
        total += 2 * 9 * out * out + 4 * out  # second block
        c = out
    return total + (c + 1) * classes


def module_shapes(made: SearchSpace, text: str) -> list[tuple[int, ...]]:
    network = made.parse(text).network
    return [v.shape for i in network.items for v in i.outputs if i.name.endswith("block1")]


# --- published facts


def test_sizes() -> None:
    """Duan et al.: 4,096 cells and 3,256 skeletons."""
    assert TransNASBench101Micro().size == len({str(a) for a in TransNASBench101Micro()}) == 4_096
    assert TransNASBench101Macro().size == len({str(a) for a in TransNASBench101Macro()}) == 3_256


def test_skeletons_are_all_that_the_rule_allows() -> None:
    def times(modules: int, most: int) -> int:
        return sum(math.comb(modules, n) for n in range(1, most + 1))

    by_length = dict.fromkeys((4, 5, 6), 0)
    for architecture in MACRO:
        by_length[len(MACRO.modules(architecture))] += 1
    assert by_length == {n: times(n, 4) * times(n, 3) for n in (4, 5, 6)}


@pytest.mark.parametrize("classes", [47, 75])
def test_params_of_the_cell_of_3x3_convolutions(classes: int) -> None:
    """As a PyTorch port of the benchmark's encoder and classifier counts them: its scenes, its objects."""
    made = TransNASBench101Micro(classes=classes)
    counts = count(made.parse("64-41414-3_33_333").network).whole
    assert counts.params == {47: 41_435_727, 75: 41_450_091}[classes]


def test_params_of_every_skeleton() -> None:
    made = TransNASBench101Macro()
    for architecture in itertools.islice(made, 0, None, 29):
        assert count(architecture.network).whole.params == macro_params(str(architecture), 75)


def test_the_benchmarks_examples() -> None:
    micro, macro = TransNASBench101Micro(), TransNASBench101Macro()
    cell = micro.parse("64-41414-1_02_333")
    assert str(cell) == "64-41414-1_02_333"
    assert dict(cell) == {
        "0→1": "skip_connect",
        "0→2": "none",
        "1→2": "nor_conv_1x1",
        "0→3": "nor_conv_3x3",
        "1→3": "nor_conv_3x3",
        "2→3": "nor_conv_3x3",
    }
    assert module_shapes(micro, str(cell)) == [
        (128, 32, 32),
        (128, 32, 32),
        (256, 16, 16),
        (256, 16, 16),
        (512, 8, 8),
    ]
    skeleton = macro.parse("64-1234-basic")
    assert str(skeleton) == "64-1234-basic"
    assert tuple(skeleton.values()) == (1, 2, 3, 4, 0, 0)
    assert module_shapes(macro, str(skeleton)) == [
        (64, 64, 64),
        (128, 64, 64),
        (128, 32, 32),
        (256, 16, 16),
    ]


# --- laws


@pytest.mark.parametrize("made", [MICRO, MACRO], ids=lambda s: s.name)
@settings(max_examples=40, deadline=None)
@given(seed=seeds)
def test_moves_and_round_trips(made: SearchSpace, seed: int) -> None:
    generator = np.random.default_rng(seed)
    mother, father = made.random(generator), made.random(generator)
    mutant, child = made.mutate(mother, generator), made.crossover(mother, father, generator)
    assert mutant in list(made.neighbours(mother))
    for architecture in (mother, father, mutant, child):
        assert made.is_valid(architecture)
        assert made.parse(str(architecture)) == architecture
        assert made.architecture(**dict(architecture)) == architecture


@settings(max_examples=40, deadline=None)
@given(seed=seeds)
def test_skeletons_reduce_as_their_codes_say(seed: int) -> None:
    architecture = MACRO.random(np.random.default_rng(seed))
    codes = str(architecture).split("-")[1]
    channels, size = 4, 8
    for code, shape in zip(codes, module_shapes(MACRO, str(architecture)), strict=True):
        channels *= 2 if code in "24" else 1
        size = math.ceil(size / (2 if code in "34" else 1))
        assert shape == (channels, size, size)
    assert 4 <= len(codes) <= 6
    assert 1 <= len(re.findall("[34]", codes)) <= 4
    assert 1 <= len(re.findall("[24]", codes)) <= 3


# --- networks


@pytest.mark.parametrize("made", [MICRO, MACRO], ids=lambda s: s.name)
@settings(max_examples=15, deadline=None)
@given(seed=seeds)
def test_networks_compute(made: SearchSpace, seed: int) -> None:
    network = made.random(np.random.default_rng(seed)).network
    module = to_torch(network)
    assert module(torch.randn(2, 3, 32, 32)).shape == (2, 75)
    assert count(network).whole.params == sum(p.numel() for p in module.parameters())


def test_a_skip_reduces_where_its_cell_does() -> None:
    """Two 1×1 convolutions of half the channels each in the first cell of a module that reduces."""
    network = MICRO.parse("4-41414-0_00_100").network
    cells = [layer for layer in network.layers if ".block" in layer.name and layer.op == "Conv"]
    assert [layer.output.shape for layer in cells] == [
        (4, 4, 4),
        (4, 4, 4),
        (8, 2, 2),
        (8, 2, 2),
        (16, 1, 1),
        (16, 1, 1),
    ]
    assert {layer.name.split(".")[0] for layer in cells} == {"module0", "module2", "module4"}


@pytest.mark.parametrize(
    ("cell", "alive"),
    [("0_00_000", False), ("3_33_000", False), ("3_00_003", False), ("0_03_003", False), ("0_00_300", True)],
)
def test_cells_that_pass_nothing_on(cell: str, alive: bool) -> None:
    counts = count(MICRO.parse(f"4-41414-{cell}").network)
    assert (counts.live.macs > 0) == alive
    assert counts.whole.macs > 0


def test_dead_edges_do_not_count_as_live() -> None:
    with_dead = count(MICRO.parse("4-41414-3_00_300").network)
    without = count(MICRO.parse("4-41414-0_00_300").network)
    assert with_dead.live.macs == without.live.macs == without.whole.macs < with_dead.whole.macs
    assert with_dead.live.params == without.whole.params


def test_blocks_are_shared() -> None:
    network = MICRO.parse("4-41414-3_33_333").network
    blocks = {item.name: item.network for item in network.items}
    assert blocks["module0.block1"] is blocks["module1.block0"] is blocks["module1.block1"]
    assert blocks["module0.block0"] is not blocks["module0.block1"]


# --- text and settings


@pytest.mark.parametrize(
    ("made", "message", "text"),
    [
        (MICRO, "4-41414-1_02_333 expected", "4-41414"),
        (MICRO, "begins with '64'; this space has 4 channels", "64-41414-1_02_333"),
        (MICRO, "skeleton '1234' of .* must be 41414", "4-1234-1_02_333"),
        (MICRO, "cell 'basic' of .* must be 1, 2 and 3 operations", "4-41414-basic"),
        (MICRO, "cell '1_02_334' of .* operations 0 to 3", "4-41414-1_02_334"),
        (MICRO, "cell '1_2_333' of", "4-41414-1_2_333"),
        (MACRO, "4-1234-basic expected", "4-1234-basic-basic"),
        (MACRO, "block '1_02_333' of .* must be basic", "4-41414-1_02_333"),
        (MACRO, "skeleton '123' of .* 4 to 6 modules", "4-123-basic"),
        (MACRO, "skeleton '1235' of .* modules 1 to 4", "4-1235-basic"),
        (MACRO, "skeleton '1212' .* halves the resolution 0 times, not 1 to 4", "4-1212-basic"),
        (MACRO, "skeleton '33333' .* halves the resolution 5 times", "4-33333-basic"),
        (MACRO, "skeleton '1313' .* doubles the channels 0 times, not 1 to 3", "4-1313-basic"),
        (MACRO, "skeleton '2224' .* doubles the channels 4 times", "4-2224-basic"),
    ],
)
def test_malformed_strings(made: SearchSpace, message: str, text: str) -> None:
    with pytest.raises(ValueError, match=message):
        made.parse(text)


def test_a_gap_between_modules_is_not_valid() -> None:
    with pytest.raises(ValueError, match="not a valid architecture"):
        MACRO.architecture(module_1=4, module_2=1, module_3=1, module_4=1, module_5=0, module_6=1)


@pytest.mark.parametrize(
    ("message", "setting"),
    [
        ("channels must be a multiple of 2 of at least 2, not 3", {"channels": 3}),
        ("classes must be a whole number of at least 1, not 0", {"classes": 0}),
        ("resolution must be a multiple of 32 of at least 32, not 48", {"resolution": 48}),
    ],
)
def test_wrong_settings(message: str, setting: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=message):
        TransNASBench101Micro(**setting)


def test_by_name() -> None:
    assert SPACES["transnasbench101_micro"] is TransNASBench101Micro
    assert SPACES["transnasbench101_macro"] is TransNASBench101Macro
    assert space("transnasbench101_macro:resolution=64") == TransNASBench101Macro(resolution=64)
    assert space(str(MICRO)) == MICRO != TransNASBench101Micro()
    assert MICRO != MACRO
    assert MICRO.decisions["0→1"] == OPERATIONS
