"""Parameters and FLOPs of the layers that lie on a way from the input to the output."""

from hwnas.cost import count
from hwnas.network.network import Network
from hwnas.proxies.context import Context
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement

_SOURCE = "Ours: White et al. 2022 count all of them, whether or not anything depends on them"


@proxy(
    name="live_params",
    higher_is_better=True,
    needs=("network",),
    mode="none",
    summary="number of parameters of live layers: a strong baseline at no cost",
    source=_SOURCE,
)
def live_params(context: Context) -> Measurement:
    """Return the number of parameters of the layers that lie on a way from the input to the output.

    On NAS-Bench-201, 4,250 of 15,625 cells carry convolutions that cannot influence the output.
    """
    return Measurement(float(count(_network(context)).live.params), dtype="int")


@proxy(
    name="live_flops",
    higher_is_better=True,
    needs=("network",),
    mode="none",
    summary="FLOPs (2 per MAC) of live layers for one image",
    source=_SOURCE,
)
def live_flops(context: Context) -> Measurement:
    """Return the FLOPs of one image's forward pass through the live layers: 2 for each MAC."""
    return Measurement(float(count(_network(context)).live.flops), dtype="int")


def _network(context: Context) -> Network:
    if context.network is None:
        raise ValueError("network: missing; pass the Network that the module was made from")
    return context.network
