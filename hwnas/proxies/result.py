"""What a proxy returns, and what `score` makes of it."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """What a proxy's function returns.

    Attributes:
        value: the score; NaN or infinite where it is undefined.
        reason: why the value is not finite; None when it is finite.
        layers_used: how many layers the value was computed from.
        layers_skipped: names of what was left out (see the proxy).
        dtype: the number type computed in; None stands for that of the module's parameters.
        note: what a reader of a finite value must know, such as "the value is rounding noise".
    """

    value: float
    reason: str | None = None
    layers_used: int = 0
    layers_skipped: tuple[str, ...] = ()
    dtype: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class ProxyResult:
    """The score of one module by one proxy, and how it came about.

    Attributes:
        proxy: the proxy's name.
        value: the score, in the unit that the proxy states; NaN or infinite where it is undefined.
        higher_is_better: the direction in which the proxy is meant to rank networks.
        mode: the mode the module was run in: "train", "eval", "mixed", or "none" when it was not run.
        dtype: the number type computed in: "float32", "float64", or "int" for counts.
        seconds: wall time. Work that proxies share counts for the first proxy that asked for it.
        reason: why the value is not finite; None exactly when it is finite.
        layers_used: how many layers the value was computed from.
        layers_skipped: for weight proxies, the names of modules whose weight has no gradient (they enter as
            zeros) or is not covered; for naswot, the activation functions that have no binary code.
        note: what a reader of the value must know, such as "the value is rounding noise"; mostly None.
    """

    proxy: str
    value: float
    higher_is_better: bool
    mode: str
    dtype: str
    seconds: float
    reason: str | None
    layers_used: int
    layers_skipped: tuple[str, ...]
    note: str | None = None

    def __post_init__(self) -> None:
        if math.isfinite(self.value) != (self.reason is None):
            raise ValueError(
                f"proxy {self.proxy!r} returned {self.value} with the reason {self.reason!r}: "
                "a reason belongs to every value that is not finite, and to no other"
            )
