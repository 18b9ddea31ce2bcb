"""Linear regions: how many different ways the images of a batch switch the network's ReLUs."""

import math

import torch

from hwnas.proxies.context import Context
from hwnas.proxies.patterns import Patterns
from hwnas.proxies.registry import proxy
from hwnas.proxies.relu_codes import NAN_INPUT, NO_RELU
from hwnas.proxies.result import Measurement


@proxy(
    name="linear_regions",
    higher_is_better=True,
    needs=("data",),
    mode="as-is",
    summary="number of different ReLU patterns over a batch; saturates on ordinary networks",
    source="Chen et al. 2021, Neural Architecture Search on ImageNet in Four GPU Hours (TE-NAS), 3.1.2",
)
def linear_regions(context: Context) -> Measurement:
    """Return the number of different patterns in which the images switch the ReLUs, from 1 to B.

    All calls of the ReLU family count, as modules or as functions, of any number of axes (see `naswot`; the
    reference counts `nn.ReLU` on feature maps alone). What has no code is reported in `layers_skipped` by
    its ATen name. On an ordinary network every image has a pattern of its own; a note says so, as the value
    is then the batch size. `linear_regions_thin` counts those of a thin copy, as TE-NAS does. NaN, with a
    reason, where there is no ReLU or the input of one holds NaN.

    Raises:
        ValueError: when the batch holds fewer than two images.
    """
    images = context.batch()
    if len(images) < 2:
        raise ValueError(
            f"inputs: linear_regions compares images; pass a batch of two or more, not {len(images)}"
        )
    patterns = Patterns(len(images))
    module = context.copy()
    with torch.no_grad(), patterns:
        context.outputs(module, images)
    if patterns.undefined or patterns.calls == 0:
        reason = NAN_INPUT if patterns.undefined else NO_RELU
        return Measurement(math.nan, reason, patterns.calls, patterns.skipped_once)
    found = len(set(patterns.rows()))
    note = (
        "every image has a pattern of its own: the value is the batch size" if found == len(images) else None
    )
    return Measurement(float(found), None, patterns.calls, patterns.skipped_once, note=note)
