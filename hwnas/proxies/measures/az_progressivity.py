"""AZ-NAS's progressivity: whether each stage adds expressivity."""

import math
from itertools import pairwise

from hwnas.proxies.context import Context
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement
from hwnas.proxies.spectrum import stage_entropies, undefined


@proxy(
    name="az_progressivity",
    higher_is_better=True,
    needs=("data",),
    mode="as-is",
    summary="smallest increase of az_expressivity from one stage to the next (needs stages)",
    source="Lee and Ham 2024, AZ-NAS, progressivity",
)
def az_progressivity(context: Context) -> Measurement:
    """Return the smallest difference, in nats, between the entropies of a stage's map and the map before.

    Entropies, stages and weights as in `az_expressivity`; negative where a stage loses expressivity.

    Raises:
        ValueError: when neither `stages` nor `network` gives two stages or more.
    """
    entropies = context.shared(stage_entropies)
    if len(entropies) < 2:
        raise ValueError(f"stages: {len(entropies)} found, at least 2 are needed to compare")
    reason = undefined(entropies)
    if reason is not None:
        return Measurement(math.nan, reason, len(entropies))
    value = min(after - before for before, after in pairwise(entropies))
    return Measurement(value, None, len(entropies))
