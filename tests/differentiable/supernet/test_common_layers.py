import gc
import weakref

import pytest
import torch
from torch import nn

from hwnas.differentiable.supernet.common_layers import CommonLayers
from hwnas.differentiable.supernet.module import Supernet
from hwnas.differentiable.supernet.relaxations import Relaxed, softmax
from hwnas.network.builder import Builder
from hwnas.network.to_torch import to_torch
from tests.differentiable.spaces import CELLS, SUPERNETWORKS

every_cell_space = pytest.mark.parametrize("name", CELLS)


def uniform(supernet: Supernet) -> Relaxed:
    groups = supernet.supernetwork.groups
    return softmax({name: torch.zeros(len(labels)) for name, labels in groups.items()})


def images(supernet: Supernet) -> torch.Tensor:
    return torch.randn(2, *supernet.supernetwork.skeleton.inputs[0].shape)


@every_cell_space
def test_candidates_activate_and_pool_a_tensor_once(name: str):
    supernet = Supernet(SUPERNETWORKS[name])
    seen: list[tuple[nn.Module, torch.Tensor]] = []
    for place, module in supernet.named_modules():
        if ".candidates." in place and isinstance(module, nn.ReLU | nn.AvgPool2d | nn.MaxPool2d):
            module.register_forward_hook(lambda module, inputs, _: seen.append((module, inputs[0])))
    supernet(images(supernet), uniform(supernet))
    kinds = [(repr(module), id(tensor)) for module, tensor in seen]
    assert len(kinds) == len(set(kinds)) > 3


def test_what_was_computed_is_kept_within_a_pass_and_as_long_as_its_input():
    builder = Builder()
    network = builder.build(builder.relu(builder.input(3)))
    common, modules = CommonLayers(), [to_torch(network), to_torch(network)]
    for module in modules:
        common.replace_in(module, network)
    x = torch.randn(2, 3)
    with common.one_pass():
        first, second = (module(x) for module in modules)
        assert first is second
        kept = weakref.ref(first)
        del first, second
        assert kept() is not None
        del x
        gc.collect()
        assert kept() is None
    y = torch.randn(2, 3, requires_grad=True)
    outputs = [module(y) for module in modules]
    for output in outputs:
        output.sum().backward()
    assert outputs[0] is not outputs[1] and torch.equal(outputs[0], y.relu())
