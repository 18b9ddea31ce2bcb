"""The number of parameters."""

from hwnas.proxies.context import Context
from hwnas.proxies.registry import proxy
from hwnas.proxies.result import Measurement


@proxy(
    name="params",
    higher_is_better=True,
    needs=(),
    mode="none",
    summary="number of parameters, the baseline to beat",
    source="White et al. 2022, A Deeper Look at Zero-Cost Proxies for Lightweight NAS",
)
def params(context: Context) -> Measurement:
    """Return the number of parameters, a shared one counted once, whether or not anything depends on it.

    Buffers (running statistics) are no parameters. `layers_used` counts the modules that hold parameters.
    """
    holders = [m for m in context.module.modules() if any(True for _ in m.parameters(recurse=False))]
    count = sum(parameter.numel() for parameter in context.module.parameters())
    return Measurement(float(count), layers_used=len(holders), dtype="int")
