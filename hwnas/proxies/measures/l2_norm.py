"""The norm of the weights, layer by layer."""

import math

import torch

from hwnas.proxies.context import Context
from hwnas.proxies.layers import covered_weights, uncovered_modules
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement


@proxy(
    name="l2_norm",
    higher_is_better=True,
    needs=(),
    mode="none",
    summary="sum over conv and linear layers of the L2 norm of W",
    source="Abdelfattah et al. 2021, Zero-Cost Proxies for Lightweight NAS (foresight, l2_norm)",
)
def l2_norm(context: Context) -> Measurement:
    """Return the sum over convolutions and linear layers of ||W||_2, added up in float64.

    No data, and the module is not run: a layer counts whether or not anything depends on it, a weight that
    two layers share counts once. Modules whose weight is not covered are named in `layers_skipped`. It
    measures the initialisation and the sizes of the layers. NaN where no layer is covered; NaN or infinite
    where a weight is not finite.

    Raises:
        ValueError: when the module is on the meta device.
    """
    weights = covered_weights(context.module)
    if context.device.type == "meta":
        raise ValueError("module: it is on the meta device, without values; l2_norm needs a real one")
    skipped = uncovered_modules(context.module)
    if not weights:
        return Measurement(math.nan, "there is no convolution and no linear layer", 0, skipped)
    norms = {
        name: float(weight.detach().square().sum(dtype=torch.float64).sqrt())
        for name, weight in weights.items()
    }
    bad = next((name for name, norm in norms.items() if not math.isfinite(norm)), None)
    reason = None if bad is None else f"the norm of the weight of layer {bad!r} is {norms[bad]}"
    return Measurement(sum(norms.values()), reason, len(weights), skipped)
