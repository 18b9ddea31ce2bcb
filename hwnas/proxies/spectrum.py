"""AZ-NAS's expressivity: the entropy of a feature map's principal components."""

import math

import torch
from torch import Tensor

from hwnas.proxies.context import Context
from hwnas.proxies.stages import feature_maps


def stage_entropies(context: Context) -> list[float]:
    """The entropy of each stage's map, in order; stages as `hwnas.proxies.stages` finds them."""
    with torch.no_grad():
        return [channel_entropy(one) for one in feature_maps(context, context.copy(), context.batch())]


def channel_entropy(features: Tensor) -> float:
    """Return - sum over channels of p log(p + 1e-8), in nats, of a map (B, channels, height, width).

    p are the eigenvalues of the channels' covariance (channels, channels) over images and positions, divided
    by their sum (Lee and Ham 2024, AZ-NAS). In float64, where a share that rounds below 0 stays above -1e-8
    and counts as 0. NaN where the channels do not vary at all, or where the map is not finite.
    """
    rows = features.detach().double().movedim(1, -1).flatten(0, -2)
    centred = rows - rows.mean(0)
    covariance = centred.T @ centred / len(rows)
    rounding = 8 * torch.finfo(features.dtype).eps * rows.abs().amax(0)
    varies = covariance.diagonal() > rounding.square()
    if not bool(covariance.isfinite().all() and varies.any()):
        return math.nan
    eigenvalues = torch.linalg.eigvalsh(covariance)
    shares = eigenvalues / eigenvalues.sum()
    return float(-(shares * (shares + 1e-8).log()).sum())


def undefined(entropies: list[float]) -> str | None:
    """Say which stage has no entropy; None where all have one."""
    bad = next((number for number, one in enumerate(entropies) if math.isnan(one)), None)
    return (
        None
        if bad is None
        else f"the feature map of stage {bad} is constant or not finite: it has no spectrum"
    )
