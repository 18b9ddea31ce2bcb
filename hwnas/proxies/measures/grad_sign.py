"""GradSign: on how many weights the images agree where to go."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from hwnas.proxies.context import Context
from hwnas.proxies.layers import covered_weights, uncovered_modules
from hwnas.proxies.part_gradients import gradients_by_part
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement

_SOURCE = "Zhang and Jia 2022, GradSign: Model Performance Inference with Theoretical Insights, alg. 1"


@proxy(
    name="grad_sign",
    higher_is_better=True,
    needs=("data", "labels", "gradients"),
    mode="as-is",
    summary="sum over conv and linear weights of |sum over images of sign dL/dw|",
    source=_SOURCE,
)
def grad_sign(context: Context) -> Measurement:
    """Return the sum over weights k of convolutions and linear layers of |sum_n sign g_nk|.

    g_nk is dL/dw_k on image n alone, in the module's mode: in train mode batch normalisation normalises by
    that one image. It costs B passes of one image each (no vmap: what is 0 but for rounding keeps the sign
    that the reference gives it). Layers without a gradient enter as zeros and are reported.

    A gradient that is 0 in theory (of a weight before a normalisation that removes what it does) has the
    sign of its rounding error: the value then depends on the dtype. NaN, with a reason, where no layer has a
    gradient, where one is not finite, and in train mode where a normalisation has a single value for each
    channel of one image (BatchNorm1d after a linear layer).

    Raises:
        ValueError: when the batch holds fewer than two images, or the targets do not fit.
    """
    return _agreement(context, mean=False)


@proxy(
    name="grad_sign_mean",
    higher_is_better=True,
    needs=("data", "labels", "gradients"),
    mode="as-is",
    summary="mean over conv and linear weights of |sum over images of sign dL/dw|: compares badly by size",
    source=_SOURCE + "; as published for supernets",
)
def grad_sign_mean(context: Context) -> Measurement:
    """Return `grad_sign` divided by the number of weights of convolutions and linear layers.

    It lies between 0 and B. Where networks differ in size it ranks far worse than the sum.
    """
    return _agreement(context, mean=True)


def _agreement(context: Context, *, mean: bool) -> Measurement:
    total = context.shared(_total_agreement)
    if not mean or total.reason is not None:
        return total
    count = sum(weight.numel() for weight in covered_weights(context.module).values())
    return replace(total, value=total.value / count)


def _total_agreement(context: Context) -> Measurement:
    images = len(context.batch())
    if images < 2:
        raise ValueError(f"inputs: grad_sign compares images; pass a batch of two or more, not {images}")
    module = context.copy()
    weights = covered_weights(module)
    signs: dict[str, Tensor] = {}
    try:
        for gradients in gradients_by_part(context, module, weights, size=1):
            _add_signs(signs, gradients)
    except ValueError as error:
        if not str(error).startswith("Expected more than 1 "):  # torch's normalisations in train mode
            raise
        return Measurement(math.nan, "a normalisation in train mode has one value per channel of an image")
    skipped = (*(name for name in weights if name not in signs), *uncovered_modules(module))
    if not signs:
        reason = "the outputs depend on no weight of a convolution or linear layer"
        return Measurement(math.nan, reason, 0, skipped)
    totals = {name: float(layer.abs().sum(dtype=torch.float64)) for name, layer in signs.items()}
    bad = next((name for name, total in totals.items() if math.isnan(total)), None)
    if bad is not None:
        return Measurement(math.nan, f"a gradient of layer {bad!r} is not finite", len(totals), skipped)
    return Measurement(sum(totals.values()), None, len(totals), skipped)


def _add_signs(signs: dict[str, Tensor], gradients: dict[str, Tensor | None]) -> None:
    """Add the signs of one image's gradients to the sums by layer; NaN where a gradient is not finite."""
    for name, gradient in gradients.items():
        if gradient is None:
            continue
        finite = bool(gradient.isfinite().all())  # torch takes 0 for the sign of NaN
        found = gradient.sign() if finite else torch.full_like(gradient, math.nan)
        signs[name] = signs[name].add_(found) if name in signs else found
