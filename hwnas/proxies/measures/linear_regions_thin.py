"""Linear regions of the network's thin copy: TE-NAS's own setting."""

import math
from dataclasses import replace

import torch

from hwnas.network.network import Block, Network
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

    TE-NAS scores NAS-Bench-201 by a single cell without stem and reductions, which is
    `linear_regions_thin_with(block="stage0.cell0")`: the cells of three stages together nearly saturate, and
    a note says so where they do. Its inputs are 3x3 crops of training images, one channel of each, and it
    compares a supernet with and without an operation.

    NaN, with a reason naming the layer, where the network cannot be thinned; also without a ReLU.
    """
    return _mean_count(context, None, REPEATS)


def linear_regions_thin_with(*, block: str | None = None, repeats: int = REPEATS) -> Proxy:
    """`linear_regions_thin` of one block of the network alone, or over another number of initialisations.

    Args:
        block: the name of a block at the top of the network, such as "stage0.cell0"; None for all of it.
        repeats: the number of initialisations.

    Raises:
        ValueError: when `repeats` is below 1; when scoring, where the network has no such block.
    """
    if repeats < 1:
        raise ValueError(f"repeats: {repeats}; pass 1 or more")
    return replace(
        get("linear_regions_thin"),
        name=f"linear_regions_thin(block={block}, repeats={repeats})",
        function=lambda context: _mean_count(context, block, repeats),
    )


def _mean_count(context: Context, block: str | None, repeats: int) -> Measurement:
    if context.network is None:
        raise ValueError("network: missing; pass the Network that the module was made from")
    wide = context.network if block is None else _block(context.network, block)
    try:
        network = smallest_thin(wide)
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


def _block(network: Network, name: str) -> Network:
    blocks = {item.name: item.network for item in network.items if isinstance(item, Block)}
    if name not in blocks:
        raise ValueError(f"block: no {name!r} in the network; it has {', '.join(blocks) or 'no blocks'}")
    return blocks[name]


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
