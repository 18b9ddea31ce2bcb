"""AZ-NAS's expressivity: how many directions the feature maps use."""

from hwnas.proxies.context import Context
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement
from hwnas.proxies.spectrum import stage_entropies, undefined


@proxy(
    name="az_expressivity",
    higher_is_better=True,
    needs=("data",),
    mode="as-is",
    summary="sum over stages of the entropy of the channel covariance's eigenvalues (needs stages)",
    source="Lee and Ham 2024, AZ-NAS, expressivity",
)
def az_expressivity(context: Context) -> Measurement:
    """Return the sum over stages of the entropy, in nats, of the feature map's principal components.

    The maps (B, channels, height, width) are those of `stages`, or of the blocks of `network`. The module is
    taken as it is: the published method first draws weights from N(0, 2 / fan-in), and runs in train mode.
    Its implementation gives NaN where an eigenvalue rounds below 0 in float32; here, in float64, it counts as
    0. NaN, with a reason, where a map is constant (a disconnected network) or not finite.

    Raises:
        ValueError: when neither `stages` nor `network` gives the stages.
    """
    entropies = context.shared(stage_entropies)
    return Measurement(sum(entropies), undefined(entropies), len(entropies))
