"""Jacobian covariance: how alike the network's linear maps at different images are."""

import math

import torch

from hwnas.proxies.context import Context
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement

K = 1e-5


@proxy(
    name="jacob_cov",
    higher_is_better=True,
    needs=("data", "jacobian"),
    mode="as-is",
    summary="-sum( log(v + k) + 1/(v + k) ) over the eigenvalues v of the correlations of the Jacobians (v1)",
    source="Mellor et al. 2020, Neural Architecture Search without Training (first version), eq. 3",
)
def jacob_cov(context: Context) -> Measurement:
    """Return -sum( log(v + k) + 1/(v + k) ), k = 1e-5, over the eigenvalues v of C (B x B).

    C[i, j] is the correlation of the gradients of the summed outputs by image i and by image j, in float64.
    The best value is -B, for uncorrelated gradients; two images with nearly one gradient cost up to 1/k.
    This is the first version of `naswot`, and some papers call both by one name. No labels. Undefined where
    an image's gradient is constant: the outputs do not depend on it.

    Raises:
        ValueError: when the batch holds fewer than two images.
    """
    images = len(context.batch())
    if images < 2:
        raise ValueError(f"inputs: jacob_cov compares images; pass a batch of two or more, not {images}")
    jacobian = context.jacobian.double()
    if reason := undefined_correlations(jacobian):
        return Measurement(math.nan, reason, 0)
    values = torch.linalg.eigvalsh(torch.corrcoef(jacobian))
    shifted = values.clamp_min(0) + K
    return Measurement(-float((shifted.log() + 1 / shifted).sum()), layers_used=0)


def undefined_correlations(jacobian: torch.Tensor) -> str | None:
    """Why the rows of a Jacobian (B, image size) have no correlations; None where they have."""
    if not bool(jacobian.isfinite().all()):
        return "the gradient by an image is not finite"
    constant = (jacobian == jacobian[:, :1]).all(1)
    if bool(constant.any()):
        return f"the outputs do not depend on image {int(constant.nonzero()[0])}: its gradient is constant"
    return None
