"""Linear regions of the network's thin copy, as TE-NAS counts them, on noise."""

import math
from collections.abc import Sequence
from dataclasses import replace

import torch

from hwnas.network.network import Network
from hwnas.network.thin import CannotThinError, smallest_thin
from hwnas.network.to_torch import to_torch
from hwnas.proxies.context import Context
from hwnas.proxies.he_weights import he_normal
from hwnas.proxies.patterns import Patterns
from hwnas.proxies.registry import Proxy, get, proxy
from hwnas.proxies.relu_codes import NAN_INPUT, NO_RELU
from hwnas.proxies.result import Measurement

IMAGES = 1000
BATCHES = 3
REPEATS = 3
NEARLY_ALL = 0.99


@proxy(
    name="linear_regions_thin",
    higher_is_better=True,
    needs=("network",),
    mode="train",
    summary=f"number of ReLU patterns of a one-channel copy over {BATCHES} x {IMAGES} tiny random inputs",
    source="Chen et al. 2021, Neural Architecture Search on ImageNet in Four GPU Hours (TE-NAS), 3.1.2",
)
def linear_regions_thin(context: Context) -> Measurement:
    """Return the number of different ReLU patterns of the network's thin copy, from 1 to 3000.

    The thin copy (see `hwnas.network.thin`) has one channel everywhere, keeps one of equal blocks that follow
    each other and takes images of 1x3x3, or of the next size that it accepts. It is initialised with He's
    fan-in normal weights, zero biases and unit gains, runs in train mode on 3 batches of 1000 images from
    N(0, 1), and the patterns of the 3000 images are counted together; the value is the mean over 3
    initialisations. The module's own weights and the batch do not matter; the numbers are drawn from the
    seed, in float32 on the CPU.

    TE-NAS scores NAS-Bench-201 by a single cell and the head behind it, without stem and reductions, which is
    `linear_regions_thin_with(blocks=("stage0.cell0", "head"))`: the cells of three stages together nearly
    saturate, and a note says so where they do. Its inputs are 3x3 crops of training images, one channel of
    each, and it compares a supernet with and without an operation: see `hwnas.differentiable.pruning`.

    NaN, with a reason naming the layer, where the network cannot be thinned; also without a ReLU.
    """
    return _mean_count(context, (), REPEATS)


def linear_regions_thin_with(*, blocks: Sequence[str] = (), repeats: int = REPEATS) -> Proxy:
    """`linear_regions_thin` of some blocks of the network alone, or over another number of initialisations.

    Args:
        blocks: the names of blocks at the top of the network that are run one after the other, such as
            "stage0.cell0" and "head"; none for all of it.
        repeats: the number of initialisations.

    Raises:
        ValueError: when `repeats` is below 1; when scoring, where the network has no such block.
    """
    if repeats < 1:
        raise ValueError(f"repeats: {repeats}; pass 1 or more")
    of = f"blocks={'+'.join(blocks)}, " if blocks else ""
    return replace(
        get("linear_regions_thin"),
        name=f"linear_regions_thin({of}repeats={repeats})",
        function=lambda context: _mean_count(context, blocks, repeats),
    )


def _mean_count(context: Context, blocks: Sequence[str], repeats: int) -> Measurement:
    if context.network is None:
        raise ValueError("network: missing; pass the Network that the module was made from")
    try:
        network = smallest_thin(context.network, blocks=blocks)
    except CannotThinError as error:
        return Measurement(math.nan, f"no thin copy: {error}", dtype="float32")
    counts = [_count(network) for _ in range(repeats)]
    undefined = next((count for count in counts if count.reason is not None), None)
    if undefined is not None:
        return undefined
    value = sum(count.value for count in counts) / repeats
    crowded = value > NEARLY_ALL * BATCHES * IMAGES
    note = (
        "nearly every image has a pattern of its own: the count is close to its maximum" if crowded else None
    )
    return replace(counts[0], value=value, note=note)


def _count(network: Network) -> Measurement:
    """The count for one initialisation."""
    module = to_torch(network)
    he_normal(module, "fan_in")
    rows: list[bytes] = []
    for _ in range(BATCHES):
        patterns = Patterns(IMAGES)
        with torch.no_grad(), patterns:
            module(torch.randn(IMAGES, *network.inputs[0].shape))
        if patterns.undefined or patterns.calls == 0:
            reason = NAN_INPUT if patterns.undefined else NO_RELU
            return Measurement(math.nan, reason, patterns.calls, patterns.skipped_once, "float32")
        rows += patterns.rows()
    return Measurement(float(len(set(rows))), None, patterns.calls, patterns.skipped_once, "float32")
