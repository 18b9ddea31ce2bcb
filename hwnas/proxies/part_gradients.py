"""Gradients of the loss by the weights, for the parts of a batch one after the other."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from hwnas.proxies.context import Context
from hwnas.proxies.labels import check_labels


def gradients_by_part(
    context: Context, module: nn.Module, weights: dict[str, nn.Parameter], *, size: int
) -> Iterator[dict[str, Tensor | None]]:
    """Differentiate the loss of each `size` images, in order, by `weights` of `module` (a private copy).

    Each part runs alone, so that batch normalisation in train mode sees no other image. Frozen weights are
    unfrozen first. A weight that the loss does not depend on has None for a gradient.

    Raises:
        ValueError: when the targets do not fit, or when the loss is no scalar.
    """
    images = context.batch()
    if context.targets is None:
        raise ValueError("targets: missing; pass one label for each image, (B,)")
    targets = context.targets.detach().clone()
    wanted = [weight.requires_grad_(True) for weight in weights.values()]
    for start in range(0, len(images), size):
        part = slice(start, start + size)
        outputs = context.outputs(module, images[part])
        if start == 0 and context.loss is nn.functional.cross_entropy:
            check_labels(targets, _as_if_for_all(outputs, len(images[part]), len(images)))
        loss = context.loss(outputs, targets[part])
        if loss.numel() != 1:
            raise ValueError(f"loss: it returned the shape {tuple(loss.shape)}; it must return a scalar")
        found: tuple[Tensor | None, ...] = (None,) * len(wanted)
        if wanted and loss.requires_grad:
            found = torch.autograd.grad(loss, wanted, allow_unused=True)
        yield dict(zip(weights, found, strict=True))


def _as_if_for_all(outputs: Tensor, part: int, images: int) -> Tensor:
    """Outputs of the shape that the whole batch would have, where a part's outputs have one row for each."""
    if outputs.ndim == 0 or len(outputs) != part:
        return outputs
    return outputs[:1].expand(images, *outputs.shape[1:])
