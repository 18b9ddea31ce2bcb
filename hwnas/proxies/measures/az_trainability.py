"""AZ-NAS's trainability: whether stages pass gradients on at their size."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from hwnas.proxies.context import Context
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement
from hwnas.proxies.stages import feature_maps, too_few


@proxy(
    name="az_trainability",
    higher_is_better=True,
    needs=("data", "jacobian"),
    mode="as-is",
    summary="mean over stages of 2 - s - 1/s, s the spectral norm of its backward map (needs stages)",
    source="Lee and Ham 2024, AZ-NAS, trainability",
)
def az_trainability(context: Context) -> Measurement:
    """Return the mean over stages of 2 - s - 1 / (s + 1e-6); the best, 0, is at s = 1.

    s is the largest singular value of E[g_in g_out^T], over images and positions: g_out (B, channels, height,
    width) holds random signs, g_in is its product with the stage's Jacobian. A g_in of higher resolution has
    the pixels that lie under one of g_out's stacked as channels; zeros fill what is missing on the right and
    below. Signs are drawn for the last stage first, in float32, whatever the module's dtype. Stages and
    weights as in `az_expressivity`.

    The implementation rules out a stage that is the identity: -inf, as here. -inf too where a stage passes no
    gradient (a disconnected network: s = 0). NaN where a gradient is not finite, a stage raises the
    resolution, or there are fewer than two stages; each with a reason.

    Raises:
        ValueError: when neither `stages` nor `network` is given.
    """
    module = context.copy()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    # The module gets a copy: it may write into its input, which a leaf of the graph does not allow.
    images = context.batch().requires_grad_().clone()
    maps = feature_maps(context, module, images)
    if len(maps) < 2:
        return too_few(len(maps), 2)
    scores = []
    for stage in reversed(range(1, len(maps))):
        score, reason = _stage_score(maps[stage - 1], maps[stage])
        if reason is not None:
            return Measurement(score, f"stage {stage} {reason}", len(maps) - 1)
        scores.append(score)
    return Measurement(sum(scores) / len(scores), None, len(scores))


def _stage_score(before: Tensor, after: Tensor) -> tuple[float, str | None]:
    """2 - s - 1/s of one stage, and why it is not finite."""
    signs = 2 * torch.bernoulli(torch.full(after.shape, 0.5)).to(after) - 1
    gradient = _back(before, after, signs)
    if gradient is None or not bool(gradient.any()):
        return -math.inf, "passes no gradient to the stage before: 1/0"
    if before.shape == after.shape and torch.equal(gradient, signs):
        return -math.inf, "is the identity, which AZ-NAS rules out"
    if not bool(gradient.isfinite().all()):
        return math.nan, "passes a gradient that is not finite"
    if any(small > large for small, large in zip(after.shape[2:], before.shape[2:], strict=True)):
        return math.nan, "raises the resolution, for which trainability is not defined"
    rows = _stack_pixels(gradient, after).movedim(1, -1).flatten(0, -2)
    columns = signs.movedim(1, -1).flatten(0, -2)
    norm = float(torch.linalg.matrix_norm(rows.T @ columns / len(rows), 2))
    return 2 - norm - 1 / (norm + 1e-6), None


def _back(before: Tensor, after: Tensor, signs: Tensor) -> Tensor | None:
    if not (after.requires_grad and before.requires_grad):
        return None
    return torch.autograd.grad(after, before, signs, retain_graph=True, allow_unused=True)[0]


def _stack_pixels(gradient: Tensor, after: Tensor) -> Tensor:
    """Bring a gradient (B, c, H, W) to the resolution of (B, ., h, w): (B, c * step^2, h, w)."""
    (height, width), (h, w) = gradient.shape[2:], after.shape[2:]
    step = max(math.ceil(height / h), math.ceil(width / w))
    padded = F.pad(gradient, (0, w * step - width, 0, h * step - height))
    return F.pixel_unshuffle(padded, step)
