"""AZ-NAS's progressivity: whether each stage adds expressivity."""

import math
from itertools import pairwise

from hwnas.proxies.context import Context
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement
from hwnas.proxies.spectrum import stage_entropies, undefined
from hwnas.proxies.stages import too_few


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

    Entropies, stages and weights as in `az_expressivity`; negative where a stage loses expressivity. NaN,
    with a reason, where an entropy is, or where there are fewer than two stages.

    Raises:
        ValueError: when neither `stages` nor `network` is given.
    """
    entropies = context.shared(stage_entropies)
    if len(entropies) < 2:
        return too_few(len(entropies), 2)
    reason = undefined(entropies)
    if reason is not None:
        return Measurement(math.nan, reason, len(entropies))
    value = min(after - before for before, after in pairwise(entropies))
    return Measurement(value, None, len(entropies))
