import itertools
import math

import pytest
import torch
from torch import Tensor, nn

from hwnas.network import Builder, Network, Value
from hwnas.network.to_torch import to_torch
from hwnas.proxies import score
from hwnas.proxies.context import Context
from hwnas.proxies.stages import feature_maps
from hwnas.spaces import NASBench201

from .networks import batch
from .staged import Staged, maps

CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|nor_conv_1x1~1|skip_connect~2|"


def nasbench201(cell: str = CELL) -> Network:
    space = NASBench201(channels=4, cells=2, resolution=8)
    return space.parse(cell).network


def context(module: nn.Module, network: Network | None = None, stages: object = None) -> Context:
    inputs, _ = batch(dtype=torch.float32)
    return Context(module, "eval", inputs, None, (3, 8, 8), None, None, 0, network=network, stages=stages)  # type: ignore[arg-type]


def test_the_stages_of_a_network_are_its_top_level_blocks() -> None:
    network = nasbench201()
    module = to_torch(network)
    here = context(module, network)
    found = feature_maps(here, here.copy(), here.batch())
    sides = [8] * 3 + [4] * 3 + [2] * 3
    channels = [4] * 3 + [8] * 3 + [16] * 3
    assert [one.shape for one in found] == [(6, c, s, s) for c, s in zip(channels, sides, strict=True)]


def test_they_are_the_values_that_the_network_names() -> None:
    network = nasbench201()
    module = to_torch(network).eval()
    here = context(module, network)
    found = feature_maps(here, here.copy(), here.batch())
    stem = module.get_submodule("stem.bn")(module.get_submodule("stem.conv")(here.batch()))
    assert torch.equal(found[0], stem)
    seen: list[Tensor] = []
    module.get_submodule("head.bn").register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    module(here.batch())
    assert torch.equal(found[-1], seen[0])


def split_block(b: Builder, x: Value) -> Value:
    left, right = b.layers("Split", x, axis=1, split=(2, 6))
    return b.concat(right, b.relu(left))


def test_a_split_and_nested_blocks_do_not_shift_the_stages() -> None:
    b = Builder()
    x = b.block("stem", lambda b, x: b.conv(x, 8, kernel=3), b.input(3, 8, 8))
    x = b.block("outer", lambda b, x: b.block("inner", split_block, x), x)
    network = b.build(b.linear(b.global_average_pool(x), 5))
    module = to_torch(network)
    here = context(module, network)
    first, second = feature_maps(here, here.copy(), here.batch())
    assert torch.equal(second, torch.cat([first[:, 2:], first[:, :2].relu()], 1))


def test_a_network_of_another_module_is_noticed() -> None:
    other = nasbench201("|nor_conv_1x1~0|+|none~0|skip_connect~1|+|none~0|nor_conv_1x1~1|skip_connect~2|")
    here = context(to_torch(other), nasbench201())
    with pytest.raises(
        ValueError, match="stages: the module is not what to_torch made of the network; pass stages=lambda"
    ):
        feature_maps(here, here.copy(), here.batch())


@pytest.mark.parametrize("proxy", ["az_expressivity", "az_progressivity", "az_trainability", "gennas"])
def test_without_stages_the_argument_is_named_with_an_example_that_works(proxy: str) -> None:
    inputs, _ = batch()
    with pytest.raises(ValueError, match=r"stages: .* stages=lambda module, x: ") as error:
        score(Staged(), inputs, proxies=[proxy])
    text = str(error.value)
    stages = eval(text[text.index("stages=lambda") :].removeprefix("stages="))
    module = nn.ModuleDict({"stem": nn.ReLU(), "stage1": nn.Softplus(), "stage2": nn.Tanh()})
    module.stem, module.stage1, module.stage2 = module["stem"], module["stage1"], module["stage2"]
    expected = list(
        itertools.accumulate([nn.ReLU(), nn.Softplus(), nn.Tanh()], lambda x, f: f(x), initial=inputs)
    )
    assert all(torch.equal(a, b) for a, b in zip(stages(module, inputs), expected[1:], strict=True))


BAD_STAGES = [
    (lambda m, x: [x.flatten(1)], r"stages: stage 0 is \(6, 192\); return a list of maps \(6, channels"),
    (lambda m, x: [x, x[:2]], r"stages: stage 1 is \(2, 3, 8, 8\)"),
    (lambda m, x: [x, None], "stages: stage 1 is NoneType"),
]


@pytest.mark.parametrize(("stages", "message"), BAD_STAGES)
def test_bad_stages_are_named(stages: object, message: str) -> None:
    inputs, _ = batch()
    with pytest.raises(ValueError, match=message):
        score(Staged(), inputs, proxies=["az_progressivity"], stages=stages)  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "needed"), [("az_progressivity", 2), ("az_trainability", 2), ("gennas", 3)])
def test_too_few_stages_leave_a_score_undefined(name: str, needed: int) -> None:
    result = score(Staged(), batch()[0], proxies=[name], stages=lambda m, x: maps(m, x)[:1])[name]
    assert math.isnan(result.value)
    assert result.reason == f"the network has 1 of the {needed} stages that are needed"


def test_given_stages_come_before_those_of_the_network() -> None:
    network = nasbench201()
    inputs, _ = batch(dtype=torch.float32)
    given = score(
        to_torch(network), inputs, proxies=["az_expressivity"], network=network, stages=lambda m, x: [x]
    )
    assert given["az_expressivity"].layers_used == 1


def test_all_four_work_on_what_modules_do_not_show() -> None:
    inputs, labels = batch()
    asked = ["az_expressivity", "az_progressivity", "az_trainability"]
    results = score(Staged(), inputs, labels, asked, stages=maps)
    assert all(result.reason is None for result in results.values())
    again = score(Staged(), inputs, labels, asked[::-1], stages=maps)
    assert all(again[name].value == results[name].value for name in asked)
