"""What a proxy's function is given: the module, the batch, and the work that proxies share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from hwnas.network.network import Network
from hwnas.proxies.forward_pass import ForwardPass, forward_pass, gradients_by
from hwnas.proxies.gradients import WeightGradients, weight_gradients
from hwnas.proxies.isolation import isolated, private_copy
from hwnas.proxies.labels import check_labels

T = TypeVar("T")
Need = Literal["shape", "data", "labels", "network", "gradients", "activations", "second-order", "jacobian"]
Loss = Callable[[Tensor, Tensor], Tensor]
SelectOutput = Callable[[Any], Tensor]
Stages = Callable[[nn.Module, Tensor], Sequence[Tensor]]


@dataclass(frozen=True, eq=False)
class Context:
    """One call of `score`, for the proxies of one mode.

    Shared work is a cached property: computed when the first proxy asks, on a private copy of the module and
    with its own random numbers, so that a proxy's value does not depend on the proxies beside it.

    Attributes:
        module: the caller's module. Never run and never written: take a `copy()`.
        mode: "train", "eval", or "as-is" for the caller's mode of each submodule ("none": not run).
        inputs: images (B, ...), or None. Take a `batch()`.
        targets: what the loss compares with, (B, ...), or None.
        image_shape: the shape of one image, or None when it is not known.
        loss: maps (outputs, targets) to a scalar.
        select_output: maps what the module returns to its outputs (B, ...).
        seed: of the random numbers that the module draws (dropout).
        needs: what the proxies of this call need together, so that they share one pass.
        network: the `Network` that describes the module, or None when it is not known.
        stages: maps (module, inputs) to its feature maps in order, or None.
    """

    module: nn.Module
    mode: str
    inputs: Tensor | None
    targets: Tensor | None
    image_shape: tuple[int, ...] | None
    loss: Loss
    select_output: SelectOutput | None
    seed: int
    needs: frozenset[Need] = frozenset()
    network: Network | None = None
    stages: Stages | None = None

    _kept: dict[Callable[[Context], Any], Any] = field(default_factory=dict, init=False, repr=False)

    def shared(self, compute: Callable[[Context], T]) -> T:
        """`compute(self)`, once for all proxies that ask for it, with random numbers of its own."""
        if compute not in self._kept:
            with isolated(self.seed, self.device):
                self._kept[compute] = compute(self)
        found: T = self._kept[compute]
        return found

    @cached_property
    def device(self) -> torch.device:
        """The device of the module's first parameter."""
        return next(self.module.parameters()).device

    @cached_property
    def dtype(self) -> torch.dtype:
        """The number type of the module's first parameter."""
        return next(self.module.parameters()).dtype

    def copy(self) -> nn.Module:
        """Return a new private copy of the module, in this context's mode."""
        module = private_copy(self.module)
        if self.mode in ("train", "eval"):
            module.train(self.mode == "train")
        return module

    def batch(self) -> Tensor:
        """Return a private copy of the inputs, (B, ...).

        Raises:
            ValueError: when `score` was called without inputs.
        """
        if self.inputs is None:
            raise ValueError("inputs: missing; pass a batch of images (B, ...)")
        return self.inputs.detach().clone()

    def one_image(self, fill: float, dtype: torch.dtype | None = None) -> Tensor:
        """Return one image of equal entries, (1, ...); of integers where the inputs are integers (tokens).

        Raises:
            ValueError: when `score` was called with neither inputs nor input_shape.
        """
        if self.image_shape is None:
            raise ValueError("input_shape: missing; pass the shape of one image, such as (3, 32, 32)")
        if self.inputs is not None and not self.inputs.is_floating_point():
            dtype = self.inputs.dtype
        return torch.full((1, *self.image_shape), fill, dtype=dtype or self.dtype, device=self.device)

    def outputs(self, module: nn.Module, inputs: Tensor) -> Tensor:
        """Run a copy of the module on inputs (B, ...); return its outputs (B, ...).

        Raises:
            ValueError: when the outputs are no tensor.
        """
        returned = module(inputs)
        outputs = returned if self.select_output is None else self.select_output(returned)
        if not isinstance(outputs, Tensor):
            raise ValueError(
                f"select_output: the outputs are a {type(outputs).__name__}, not a tensor; "
                "say which part to score, such as select_output=lambda o: o[0]"
            )
        return outputs

    @cached_property
    def forward(self) -> ForwardPass:
        """The one forward pass of the batch that this call's proxies differentiate."""
        return forward_pass(
            self.copy,
            self.batch(),
            self._seeded_outputs,
            by_weights="gradients" in self.needs,
            by_images="jacobian" in self.needs,
            activations="activations" in self.needs,
        )

    def _seeded_outputs(self, module: nn.Module, inputs: Tensor) -> Tensor:
        with isolated(self.seed, self.device):
            return self.outputs(module, inputs)

    @cached_property
    def gradients(self) -> WeightGradients:
        """The gradients of the loss by the weights of the covered layers.

        With those by the layers' outputs where a proxy of this call needs "activations", and with a graph of
        their own where one needs "second-order".

        Raises:
            ValueError: when targets are missing or do not fit, or when the loss is no scalar.
        """
        return weight_gradients(
            self.forward.module,
            self._loss_of(self.forward.outputs),
            activations=self.forward.activations,
            create_graph="second-order" in self.needs,
            retain_graph=bool(self.needs & {"jacobian", "second-order"}),
        )

    @cached_property
    def jacobian(self) -> Tensor:
        """The gradient of the sum of the outputs by the images, flattened: (B, image size).

        In train mode an image's outputs depend on the whole batch through batch normalisation.

        Raises:
            ValueError: when the inputs are no floating-point numbers.
        """
        if "gradients" in self.needs and "labels" in self.needs:
            _ = self.gradients  # in this order, since differentiating by the images may free the graph
        images = self.forward.images
        retain = "second-order" in self.needs
        (found,) = gradients_by(self.forward.outputs.sum(), [images], retain_graph=retain)
        return (torch.zeros_like(images) if found is None else found).detach().flatten(1)

    def _loss_of(self, outputs: Tensor) -> Tensor:
        if self.targets is None:
            raise ValueError("targets: missing; pass one label for each image, (B,)")
        targets = self.targets.detach().clone()
        if self.loss is nn.functional.cross_entropy:
            check_labels(targets, outputs)
        loss = self.loss(outputs, targets)
        if loss.numel() != 1:
            raise ValueError(f"loss: it returned the shape {tuple(loss.shape)}; it must return a scalar")
        return loss
