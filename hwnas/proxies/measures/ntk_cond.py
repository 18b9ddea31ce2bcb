"""The condition number of the neural tangent kernel."""

import math

import torch
from torch import Tensor, nn

from hwnas.proxies.context import Context
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement


@proxy(
    name="ntk_cond",
    higher_is_better=False,
    needs=("data", "gradients"),
    mode="as-is",
    summary="condition number of the neural tangent kernel of a batch; one backward pass for each image",
    source="Chen et al. 2021, Neural Architecture Search on ImageNet in Four GPU Hours (TE-NAS), eq. 2",
)
def ntk_cond(context: Context) -> Measurement:
    """Return the largest by the smallest eigenvalue of K = G G^T (B x B); lower is better.

    Row i of G is the gradient of the sum of image i's outputs by all parameters whose name holds "weight"
    (gains of normalisations too, biases not), K and its eigenvalues are computed in float64. No labels.
    TE-NAS scores in train mode, where batch normalisation couples the images.

    The whole batch given is used, and each image costs a backward pass through all of it: B^2 work, and
    memory for B gradients. TE-NAS takes 72 images for NAS-Bench-201 and 14 for DARTS' cells; four times as
    many cost 16 times as much. Weights without a gradient and parameters of two or more axes with another
    name are named in `layers_skipped`. Infinite, with a reason, where the smallest eigenvalue is 0 within the
    rounding of float64: K is singular. A note says where it is so small that the value is the rounding noise
    of float32 gradients.

    Raises:
        ValueError: when the batch holds fewer than two images, or the outputs have no row for each.
    """
    images = context.batch()
    if len(images) < 2:
        raise ValueError(f"inputs: ntk_cond compares images; pass a batch of two or more, not {len(images)}")
    module = context.copy()
    weights, skipped = _weights(module)
    outputs = context.outputs(module, images)
    if outputs.ndim == 0 or len(outputs) != len(images):
        raise ValueError(
            f"select_output: ntk_cond needs outputs of the shape ({len(images)}, ...), "
            f"not {tuple(outputs.shape)}"
        )
    kernel, used = _kernel(outputs, weights)
    skipped += tuple(name for name in weights if name not in used)
    if not used:
        return Measurement(math.nan, "the outputs depend on no weight", 0, skipped)
    value, reason = _condition_number(kernel)
    noise = math.isfinite(value) and value * len(images) * torch.finfo(context.dtype).eps > 1
    note = "K is singular within rounding: the value is rounding noise" if noise else None
    return Measurement(value, reason, len(used), skipped, note=note)


def _weights(module: nn.Module) -> tuple[dict[str, nn.Parameter], tuple[str, ...]]:
    """The parameters to differentiate by, unfrozen, and the names of the matrices called otherwise."""
    weights: dict[str, nn.Parameter] = {}
    others: list[str] = []
    for name, parameter in module.named_parameters():
        if "weight" in name.rpartition(".")[2]:
            parameter.requires_grad_(True)
            weights[name] = parameter
        elif parameter.ndim >= 2:
            others.append(name)
    return weights, tuple(others)


def _kernel(outputs: Tensor, weights: dict[str, nn.Parameter]) -> tuple[Tensor, list[str]]:
    """Return K (B, B) in float64 and the names of the weights that the outputs (B, ...) depend on.

    One image at a time: a batched backward pass (is_grads_batched) gives equal numbers and is slower.
    """
    kernel = torch.zeros(len(outputs), len(outputs), dtype=torch.float64, device=outputs.device)
    if not weights or not outputs.requires_grad:
        return kernel, []
    per_image = [
        torch.autograd.grad(image.sum(), list(weights.values()), retain_graph=True, allow_unused=True)
        for image in outputs
    ]
    used = []
    for name, gradients in zip(weights, zip(*per_image, strict=True), strict=True):
        found = [gradient.flatten() for gradient in gradients if gradient is not None]
        if found:
            rows = torch.stack(found).double()
            kernel += rows @ rows.T
            used.append(name)
    return kernel, used


def _condition_number(kernel: Tensor) -> tuple[float, str | None]:
    if not bool(kernel.isfinite().all()):
        return math.nan, "the gradient of an image's outputs is not finite"
    values = torch.linalg.eigvalsh(kernel)
    smallest, largest = float(values[0]), float(values[-1])
    if smallest <= largest * len(kernel) * torch.finfo(torch.float64).eps:
        return math.inf, f"K is singular: its eigenvalues reach from {smallest:.3g} to {largest:.3g}"
    return largest / smallest, None
