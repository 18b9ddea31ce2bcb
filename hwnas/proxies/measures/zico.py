"""ZiCo: how steady the gradients are from batch to batch."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from hwnas.proxies.context import Context
from hwnas.proxies.layers import covered_weights, uncovered_modules
from hwnas.proxies.part_gradients import gradients_by_part
from hwnas.proxies.registry import Proxy, get, proxy
from hwnas.proxies.result import Measurement

BATCHES = 2


@proxy(
    name="zico",
    higher_is_better=True,
    needs=("data", "labels", "gradients"),
    mode="train",
    summary="sum over layers of log( sum of mean |dL/dw| / std dL/dw ) over the halves of the batch",
    source="Li et al. 2023, ZiCo: Zero-shot NAS via Inverse Coefficient of Variation on Gradients, eq. 6",
)
def zico(context: Context) -> Measurement:
    """Return the sum over layers of log( sum over weights i of mean_b |g_bi| / std_b g_bi ).

    g_bi is dL/dw_i on part b of the batch, split in order into two equal parts; std divides by the number of
    parts (ddof 0). Convolutions and linear layers, train mode; mean, std and sums in float64. Weights whose
    gradient is the same on all parts are left out of the sum. A layer without any other (one that is never
    called, or feeds nothing) adds nothing and is named in `layers_skipped`.

    The value grows with the number of layers and has heavy tails: with two parts, a weight with nearly equal
    gradients can outweigh all others. NaN, with a reason, where no layer is left or a layer's sum is
    not finite.

    Raises:
        ValueError: when the batch does not split into two equal parts, or the targets do not fit.
    """
    return _inverse_variation(context, BATCHES)


def zico_with(*, batches: int) -> Proxy:
    """`zico` over another number of equal parts of the batch.

    Raises:
        ValueError: when `batches` is below 2.
    """
    if batches < 2:
        raise ValueError(f"batches: {batches}; gradients vary over two or more parts of the batch")
    return replace(
        get("zico"),
        name=f"zico(batches={batches})",
        function=lambda context: _inverse_variation(context, batches),
        summary=f"zico over {batches} parts of the batch",
    )


def _inverse_variation(context: Context, batches: int) -> Measurement:
    images = len(context.batch())
    if images % batches:
        raise ValueError(
            f"inputs: zico splits the batch into {batches} equal parts; "
            f"pass a multiple of {batches} images, not {images}"
        )
    module = context.copy()
    weights = covered_weights(module)
    parts = list(gradients_by_part(context, module, weights, size=images // batches))
    sums = {name: _sum_of_ratios([part[name] for part in parts]) for name in weights}
    used = {name: total for name, total in sums.items() if total != 0}
    skipped = (*(name for name in weights if name not in used), *uncovered_modules(module))
    if not used:
        return Measurement(math.nan, "no gradient differs between the parts of the batch", 0, skipped)
    bad = next((name for name, total in used.items() if not math.isfinite(total)), None)
    if bad is not None:
        return Measurement(math.nan, f"the sum over layer {bad!r} is {used[bad]}", len(used), skipped)
    return Measurement(sum(map(math.log, used.values())), None, len(used), skipped)


def _sum_of_ratios(gradients: list[Tensor | None]) -> float:
    """The sum over a layer's weights of mean |g| / std g over the parts, of those with std above 0."""
    like = next((gradient for gradient in gradients if gradient is not None), None)
    if like is None:
        return 0.0
    rows = torch.stack([torch.zeros_like(like) if g is None else g for g in gradients]).flatten(1)
    rows = rows[:, (rows != rows[0]).any(0)].double()  # by comparison: equal numbers may have a rounded std
    std = (rows - rows.mean(0)).square().mean(0).sqrt()
    return float((rows.abs().mean(0) / std).sum())
