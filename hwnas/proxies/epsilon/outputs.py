"""The outputs of a module under constant weights: of the whole module, or of its distinct channels alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, fx, nn

from hwnas.network.collapse import NotCollapsibleError, collapse
from hwnas.network.network import Network
from hwnas.network.torch_layers import MODULES
from hwnas.proxies.context import Context
from hwnas.proxies.epsilon.collapsed import CollapsedModule
from hwnas.proxies.epsilon.weights import settable_weights
from hwnas.proxies.isolation import isolated

_COMPARED_IMAGES = 4
_COMPARED_TO = 1e-3


@dataclass(frozen=True, eq=False)
class Outputs:
    """Outputs under each weight, (N,) each, and why the whole module was run where a network was given."""

    values: tuple[Tensor, ...]
    full_because: str | None = None


def outputs_under(context: Context, weights: Sequence[float], dtype: torch.dtype) -> Outputs:
    """Run the batch under each weight, in numbers of `dtype`.

    Where `context.network` is known and its channels are provably equal, only the distinct ones are computed;
    but for a module that `to_torch` made of the network, a few images show first that the two agree.
    """
    if context.network is None:
        return Outputs(full_outputs(context, weights, dtype))
    try:
        module = _collapsed(context, context.network, dtype)
        if not _made_by_to_torch(context.module, context.network):
            _compare(with_few_images(context, _COMPARED_IMAGES), context.network, max(weights), dtype)
    except NotCollapsibleError as reason:
        return Outputs(full_outputs(context, weights, dtype), f"full computation: {reason}")
    return Outputs(tuple(module.outputs(weight) for weight in weights))


def full_outputs(context: Context, weights: Sequence[float], dtype: torch.dtype) -> tuple[Tensor, ...]:
    """Run the batch through the whole module under each weight, with equal random numbers each time."""
    module = context.copy().to(dtype)
    settable = settable_weights(module)
    found = []
    for weight in weights:
        settable.fill(weight)
        with isolated(context.seed, context.device), torch.no_grad():
            found.append(context.outputs(module, _batch(context, dtype)).flatten())
    return tuple(found)


def with_few_images(context: Context, images: int) -> Context:
    """The same context with the first `images` of its batch."""
    return replace(context, inputs=context.batch()[:images])


def _batch(context: Context, dtype: torch.dtype) -> Tensor:
    batch = context.batch()
    return batch.to(dtype) if batch.is_floating_point() else batch


def _collapsed(context: Context, network: Network, dtype: torch.dtype) -> CollapsedModule:
    images = _batch(context, dtype)
    if context.select_output is not None:
        raise NotCollapsibleError("select_output picks from what the module returns")
    if tuple(images.shape[1:]) != network.inputs[0].shape:
        raise NotCollapsibleError(f"the network's input has the shape {network.inputs[0].shape}")
    return CollapsedModule(collapse(network, training=context.mode == "train"), images)


def _made_by_to_torch(module: nn.Module, network: Network) -> bool:
    """Whether the module calls the network's layers by their names, has its parameters, and no hooks."""
    if not isinstance(module, fx.GraphModule):
        return False
    if any(part._forward_hooks or part._forward_pre_hooks for part in module.modules()):
        return False
    calls = [node.target for node in module.graph.nodes if node.op == "call_module"]
    if calls != [layer.name for layer in network.layers if layer.op in MODULES]:
        return False
    shapes = {name: tuple(p.shape) for name, p in module.named_parameters(remove_duplicate=False)}
    return all(
        shapes.get(parameter.name) == parameter.shape
        for parameter in network.parameters.values()
        if parameter.trainable
    )


def _compare(context: Context, network: Network, weight: float, dtype: torch.dtype) -> None:
    """Require equal outputs of module and network: a network read from a module may lack its dropout."""
    (whole,) = full_outputs(context, (weight,), dtype)
    distinct = _collapsed(context, network, dtype).outputs(weight)
    scale = float(whole.abs().nan_to_num(0, 0, 0).max())
    if distinct.shape != whole.shape or not torch.allclose(
        distinct, whole, rtol=_COMPARED_TO, atol=_COMPARED_TO * scale, equal_nan=True
    ):
        raise NotCollapsibleError("the module does not compute what the network describes")
