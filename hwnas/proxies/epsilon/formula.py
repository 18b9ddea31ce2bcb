"""The formula of epsilon, from the outputs under two weights."""

import math

import torch
from torch import Tensor

_ROUNDING, _MOST = 16, 1e-4  # in units of the last place of the largest output; as a share of the range


def rescaled(outputs: Tensor, *, exact_zeros: bool = False) -> Tensor:
    """Map outputs (N,) to [0, 1] by their minimum and maximum (eq. 1); NaN where they are all equal.

    What differs from the minimum by rounding alone becomes 0: the outputs of several classes are equal but
    for their last digits, and how many of them count as the minimum must not depend on those.

    Args:
        outputs: (N,).
        exact_zeros: make only the minimum itself 0, as the published code does.
    """
    lowest, highest = outputs.min(), outputs.max()
    values = (outputs - lowest) / (highest - lowest)
    if exact_zeros:
        return values
    rounding = _ROUNDING * torch.finfo(outputs.dtype).eps * outputs.abs().max() / (highest - lowest)
    return torch.where(values <= rounding.clamp(max=_MOST), 0, values)


def relative_difference(first: Tensor, second: Tensor) -> float:
    """Return mean |V1 - V2| / mean V (eq. 2 to 4), of outputs rescaled to [0, 1], (N,) each.

    Entries that are 0 count as missing, as in the published code: at least the minimum of each.
    NaN where nothing is left to compare.
    """
    values = torch.stack((first, second)).double()
    values = torch.where(values == 0, torch.nan, values)
    difference = (values[0] - values[1]).abs().nanmean()
    mean = values.nansum(1).sum() / values.isfinite().sum()
    return float(difference / mean)


def why_undefined(outputs: Tensor, weight: float) -> str | None:
    """Say why outputs (N,) under `weight` cannot be rescaled; None when they can."""
    if bool(outputs.isnan().any()):
        return f"the outputs hold NaN with the weight {weight:g}"
    if bool(outputs.isinf().any()):
        return f"the outputs overflow with the weight {weight:g}"
    lowest, highest = outputs.min(), outputs.max()
    if not bool(highest > lowest):
        cause = "they underflow" if float(lowest) == 0 else "they do not tell the images apart"
        return f"all outputs are equal ({float(lowest):g}) with the weight {weight:g}: {cause}"
    return None if math.isfinite(highest - lowest) else f"the outputs overflow with the weight {weight:g}"
