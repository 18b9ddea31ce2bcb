"""One forward pass that several proxies differentiate: by weights, by activations, by the images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from hwnas.proxies.layers import covered_weights

Run = Callable[[nn.Module, Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class ForwardPass:
    """A module's outputs for a batch, with the graph that leads to them.

    Attributes:
        module: the private copy that was run.
        images: the batch (B, ...), a leaf of the graph where the images are to be differentiated by.
        outputs: what the module gave for it, (B, ...).
        weights: the covered layers' weights by module name.
        activations: by the same names, the outputs (B, channels, ...) of each call of those layers; empty
            where they were not asked for.
    """

    module: nn.Module
    images: Tensor
    outputs: Tensor
    weights: dict[str, nn.Parameter]
    activations: dict[str, list[Tensor]]


def forward_pass(
    copy: Callable[[], nn.Module],
    images: Tensor,
    run: Run,
    *,
    by_weights: bool,
    by_images: bool,
    activations: bool,
) -> ForwardPass:
    """Run a private copy of the module on images (B, ...), keeping the graph.

    Frozen weights are unfrozen first where `by_weights`: a proxy describes the architecture, not what the
    caller means to train. Otherwise all are frozen, which spares their gradients.
    """
    images.requires_grad_(by_images)
    found, overwritten = _recorded(copy(), images, run, by_weights, activations, protect=False)
    if overwritten:
        found, _ = _recorded(copy(), images, run, by_weights, activations, protect=True)
    return found


def _recorded(
    module: nn.Module, images: Tensor, run: Run, by_weights: bool, activations: bool, *, protect: bool
) -> tuple[ForwardPass, bool]:
    """The pass, and whether something was written into an activation that it keeps."""
    weights = covered_weights(module)
    if by_weights:
        for weight in weights.values():
            weight.requires_grad_(True)
    else:
        module.requires_grad_(False)
    with _Recorder(module, weights if activations else {}, protect=protect) as recorder:
        # The module gets a copy: it may write into its input, which a leaf of the graph does not allow.
        outputs = run(module, images.clone())
    found = ForwardPass(module, images, outputs, weights, recorder.activations)
    return found, recorder.overwritten()


class _Recorder:
    """Keeps what the covered layers return while it is active.

    With `protect` the network goes on with a copy of it, so that an operation that works in place (ReLU,
    `x += y`) leaves it as it was.
    """

    def __init__(self, module: nn.Module, weights: dict[str, nn.Parameter], *, protect: bool) -> None:
        self.activations: dict[str, list[Tensor]] = {}
        self._versions: list[tuple[Tensor, int]] = []
        self._protect = protect
        self._names = {id(weight): name for name, weight in weights.items()}
        self._layers = [
            part for part in module.modules() if id(part._parameters.get("weight")) in self._names
        ]
        self._hooks: list[Any] = []

    def __enter__(self) -> _Recorder:
        self._hooks = [layer.register_forward_hook(self._keep) for layer in self._layers]
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _keep(self, layer: nn.Module, _: Any, output: Any) -> Any:
        name = self._names[id(layer._parameters["weight"])]
        self.activations.setdefault(name, []).append(output)
        self._versions.append((output, output._version))
        return output.clone() if self._protect else None

    def overwritten(self) -> bool:
        """Whether something was written into a kept output."""
        return any(output._version != version for output, version in self._versions)


def gradients_by(
    scalar: Tensor, tensors: list[Tensor], *, retain_graph: bool, create_graph: bool = False
) -> tuple[Tensor | None, ...]:
    """The gradients of a scalar by each of the tensors, None where it does not depend on one.

    Without `retain_graph` the graph's memory is used again on the way, which is a tenth faster; nothing is
    written to `.grad`.
    """
    if not tensors or not scalar.requires_grad:
        return (None,) * len(tensors)
    return torch.autograd.grad(
        scalar, tensors, retain_graph=retain_graph, create_graph=create_graph, allow_unused=True
    )
