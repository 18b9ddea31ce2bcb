"""Epsilon: how differently a network's outputs are spread under two constant weights."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import torch

from hwnas.network.network import Network
from hwnas.proxies.context import Context
from hwnas.proxies.epsilon.formula import relative_difference, rescaled, why_undefined
from hwnas.proxies.epsilon.noise import outputs_are_proportional
from hwnas.proxies.epsilon.outputs import outputs_under, with_few_images
from hwnas.proxies.epsilon.weights import settable_weights
from hwnas.proxies.registry import Proxy, proxy
from hwnas.proxies.result import Measurement

_SOURCE = "Gracheva 2024, Neural Architecture Search via Two Constant Shared Weights Initialisations, eq. 1-4"
_PROBED_IMAGES = 8  # float64 is slow: where a few images show a difference, no more are needed
_NOISE = {torch.float32: 1e-6, torch.float64: 1e-9}  # exact values that the number type cannot tell from 0
_NOISE_OF_BRANCHES = 0.05  # above what float32 has been seen to make of 0 in train mode


@proxy(
    name="epsilon",
    higher_is_better=True,
    needs=("data",),
    mode="train",
    summary="relative difference of the outputs under the constant weights 1e-7 and 1, in float32",
    source=_SOURCE,
)
def epsilon(context: Context) -> Measurement:
    """Return mean |V1 - V2| / mean V, V_i the outputs under weight i, rescaled to [0, 1]; no unit.

    Weights 1e-7 and 1 in float32, as published: deep networks underflow and are NaN, among them many of the
    best cells of NAS-Bench-201, so report the share of undefined values beside any correlation; `epsilon64`
    leaves few. Needs a batch of images, no labels and no gradients; runs in train mode.

    Every parameter called `weight` (of convolutions, linear layers, normalisations) is set to the constant,
    and so are the weights of recurrent layers and of `MultiheadAttention` (whose projections the published
    code leaves random); every bias is 0. Embeddings and parameters of other names keep their values:
    `layers_skipped`. What draws random numbers draws the same under both weights; `score(seed=21)` gives the
    dropout masks of the published code.

    Outputs that are 0 after rescaling are left out of both means, as in the published code; here also those
    that differ from the smallest by rounding alone. Without that, the value depends on the last digits of
    the outputs of different classes, which are equal in theory (by 5 % for 16 images and 10 classes, by 0.2 %
    for 256); `epsilon_with(exact_zeros=True)` computes that.

    Where `score` is given the module's `Network`, only distinct channels are computed wherever channels are
    provably equal (`hwnas.network.collapse`); otherwise `note` says which layer forbade it. The two agree
    but for rounding. Where the outputs are proportional under all weights (a chain without parallel
    branches) the exact value is 0 and the computed one is rounding noise: `note` says so, by the network
    or by a computation in float64, on a few images first.

    Undefined (NaN) where all outputs are equal under a weight (underflow, or no image reaches them), and
    where they overflow or are NaN.

    Raises:
        ValueError: when the batch holds fewer than two images.
    """
    return _measure(context, (1e-7, 1.0), torch.float32)


@proxy(
    name="epsilon64",
    higher_is_better=True,
    needs=("data",),
    mode="train",
    summary="epsilon in float64 with the constant weights 1e-4 and 1, where few networks are undefined",
    source=_SOURCE,
)
def epsilon64(context: Context) -> Measurement:
    """Return what `epsilon` returns, computed in float64 with the weights 1e-4 and 1.

    What is below 1e-9 is the rounding noise of an exact 0, and given as 0, so that chains of layers tie.
    """
    found = _measure(context, (1e-4, 1.0), torch.float64)
    return replace(found, value=0.0) if found.value < _NOISE[torch.float64] else found


def epsilon_with(
    *,
    weights: Sequence[float] = (1e-4, 1.0),
    dtype: torch.dtype = torch.float64,
    mode: Literal["train", "eval"] = "train",
    exact_zeros: bool = False,
    name: str | None = None,
) -> Proxy:
    """Return epsilon with weights, number type and mode of one's own, for `score(proxies=[...])`.

    Args:
        weights: two positive numbers; `hwnas.proxies.epsilon.choose_weights` finds them for a space.
        dtype: torch.float32 or torch.float64, whatever the module's own.
        mode: "eval" normalises by the running statistics.
        exact_zeros: leave out only what is exactly 0 after rescaling, as the published code does.
        name: by default made of the other arguments, such as "epsilon(0.0001, 1, float64)".

    Raises:
        ValueError: when an argument is none of these.
    """
    pair = tuple(float(weight) for weight in weights)
    if len(pair) != 2 or not all(0 < weight < math.inf for weight in pair):
        raise ValueError(f"weights: {tuple(weights)}; pass two positive finite numbers, such as (1e-4, 1)")
    if dtype not in _NOISE:
        raise ValueError(f"dtype: {dtype}; choose torch.float32 or torch.float64")
    if mode not in ("train", "eval"):
        raise ValueError(f"mode: {mode!r}; choose 'train' or 'eval'")
    settings = [f"{pair[0]:g}", f"{pair[1]:g}", str(dtype).removeprefix("torch.")]
    settings += ["eval"] * (mode == "eval") + ["exact zeros"] * exact_zeros
    return Proxy(
        name=name or f"epsilon({', '.join(settings)})",
        function=lambda context: _measure(context, pair, dtype, exact_zeros=exact_zeros),
        higher_is_better=True,
        needs=frozenset({"data"}),
        mode=mode,
        summary=f"epsilon with the constant weights {pair[0]:g} and {pair[1]:g}, in {settings[2]}",
        source=_SOURCE,
    )


def _measure(
    context: Context, weights: tuple[float, ...], dtype: torch.dtype, *, exact_zeros: bool = False
) -> Measurement:
    images = 0 if context.inputs is None else len(context.inputs)
    if images < 2:
        raise ValueError(f"inputs: epsilon compares images; pass a batch of two or more, not {images}")
    settable = settable_weights(context.module)
    outputs = outputs_under(context, weights, dtype)
    value = relative_difference(*(rescaled(one, exact_zeros=exact_zeros) for one in outputs.values))
    proved = context.network if outputs.full_because is None else None
    noise = _noise(context, proved, weights, dtype, value)
    return Measurement(
        value=value,
        reason=_reason(outputs.values, weights) if math.isnan(value) else None,
        layers_used=settable.layers,
        layers_skipped=settable.skipped,
        dtype=str(dtype).removeprefix("torch."),
        note="; ".join(note for note in (noise, outputs.full_because) if note) or None,
    )


def _reason(outputs: Sequence[torch.Tensor], weights: Sequence[float]) -> str:
    reasons = [why_undefined(one, weight) for one, weight in zip(outputs, weights, strict=True)]
    found = [reason for reason in reasons if reason]
    return "; ".join(found) or "no output is above the smallest one under both weights"


def _noise(
    context: Context,
    network: Network | None,
    weights: tuple[float, ...],
    dtype: torch.dtype,
    value: float,
) -> str | None:
    """Say that the value is rounding noise where the network proves it, or where float64 shows it."""
    if math.isnan(value) or weights[0] == weights[1]:
        return None
    if network is not None and outputs_are_proportional(network):
        return "rounding noise: no branches of different scale meet in the network, so the exact value is 0"
    if dtype == torch.float64:
        return f"rounding noise: the value is {value:.1g} in float64" if value < _NOISE[dtype] else None
    if network is not None and value > _NOISE_OF_BRANCHES:
        return None
    for images in (_PROBED_IMAGES, len(context.batch())):
        probed = outputs_under(with_few_images(context, images), weights, torch.float64)
        exact = relative_difference(*(rescaled(one) for one in probed.values))
        if not exact < _NOISE[dtype]:
            return None
    return f"rounding noise: the value is {exact:.1g} in float64"
