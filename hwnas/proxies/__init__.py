"""Zero-cost proxies: scores of an untrained network, from one batch or from none.

    results = score(module, inputs, targets, proxies=["synflow", "naswot", "snip"])
    results["naswot"].value

`score` works on any `torch.nn.Module` and leaves it untouched. `names()` lists the proxies, `get(name)` says
what one needs and where it comes from. A new proxy is a file in `measures/`: a function of a `Context` under
the decorator `proxy`:

    @proxy(name="l2_norm", higher_is_better=True, needs=(), mode="none", summary="...", source="...")
    def l2_norm(context: Context) -> Measurement:
        return Measurement(sum(float(p.norm()) for p in context.module.parameters()))

Proxies that use `context.gradients` and its neighbours share one forward pass. `score_network` scores an
untrained network, `score_architectures` a sample of a space or all of it; `ranks` joins proxies, and
`correlation` judges them.
"""

from hwnas.proxies import measures as measures
from hwnas.proxies.context import Context
from hwnas.proxies.registry import Proxy, get, names, proxy
from hwnas.proxies.result import Measurement, ProxyResult
from hwnas.proxies.score import score
from hwnas.proxies.sweep import score_architectures
from hwnas.proxies.untrained import score_network

__all__ = [
    "Context",
    "Measurement",
    "Proxy",
    "ProxyResult",
    "get",
    "names",
    "proxy",
    "score",
    "score_architectures",
    "score_network",
]
