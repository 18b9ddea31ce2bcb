"""Penalties by name, as the command line gives them: `ratio:weight=0.3`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hwnas.objectives.by_name import by_name
from hwnas.objectives.penalties.base import Penalty
from hwnas.objectives.penalties.lagrangian import Lagrangian
from hwnas.objectives.penalties.product import Product
from hwnas.objectives.penalties.sums import Hinge, Ratio

PENALTIES: dict[str, Callable[..., Penalty]] = {
    "ratio": Ratio,
    "hinge": Hinge,
    "fbnet": Product,
    "proxylessnas": partial(Product, beta=0.3),
    "lagrangian": Lagrangian,
}


def penalty(text: str) -> Penalty:
    """The penalty called `text`: a name of `PENALTIES`, which may end in `:setting=number,...`.

    Raises:
        ValueError: an unknown name or setting, or a setting out of range; says what would be right.
    """
    return by_name("penalty", PENALTIES, text)
