"""The number of floating-point operations of one forward pass."""

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from hwnas.proxies.context import Context
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement


@proxy(
    name="flops",
    higher_is_better=True,
    needs=("shape",),
    mode="eval",
    summary="FLOPs (2 per MAC) of convolutions and matrix products for one image, the baseline to beat",
    source="White et al. 2022, A Deeper Look at Zero-Cost Proxies for Lightweight NAS",
)
def flops(context: Context) -> Measurement:
    """Return the FLOPs of one image's forward pass: 2 for each multiply-accumulate (MAC).

    Convolutions, matrix products and attention count, wherever they are called; biases, normalisation,
    activations, pooling and additions do not. The module runs in eval mode. `layers_used` counts the
    innermost modules in which something was counted, `layers_skipped` names those with weights in which
    nothing was: layers that are never called, and some recurrent and bilinear ones, whose kernels torch's
    counter does not know.
    """
    module = context.copy()
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        context.outputs(module, context.one_image(0.0))
    counted_in = counter.get_flop_counts().keys() - {"Global"}
    innermost = [name for name in counted_in if not any(other.startswith(f"{name}.") for other in counted_in)]
    root = type(module).__name__
    uncounted = tuple(
        name or "(root)"
        for name, part in module.named_modules()
        if any(p.ndim >= 2 for p in part.parameters(recurse=False))
        and (f"{root}.{name}" if name else root) not in counted_in
    )
    total = float(counter.get_total_flops())
    return Measurement(total, layers_used=len(innermost), layers_skipped=uncounted, dtype="int")
