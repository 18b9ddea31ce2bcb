"""Rewards by name, as the command line gives them: `soft:alpha=0,beta=-1`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial

from hwnas.objectives.rewards.base import Reward
from hwnas.objectives.rewards.chamnet import Penalized
from hwnas.objectives.rewards.lagrangian import Lagrangian
from hwnas.objectives.rewards.monas import AccuracyConstrained, Mixed
from hwnas.objectives.rewards.product import Hard, Soft
from hwnas.objectives.rewards.sums import Absolute, Weighted

REWARDS: dict[str, Callable[..., Reward]] = {
    "hard": Hard,
    "soft": Soft,
    "mnasnet_hard": partial(Soft, alpha=0.0, beta=-1.0),
    "proxylessnas": partial(Soft, alpha=-0.1, beta=-0.1),
    "weighted": Weighted,
    "absolute": Absolute,
    "monas_mixed": Mixed,
    "monas_power": Hard,
    "monas_accuracy": AccuracyConstrained,
    "chamnet": Penalized,
    "lagrangian": Lagrangian,
}


def reward(text: str) -> Reward:
    """The reward called `text`: a name of `REWARDS`, which may end in `:setting=number,...`.

    Raises:
        ValueError: an unknown name or setting, or a setting out of range; says what would be right.
    """
    name, _, given = text.partition(":")
    if name not in REWARDS:
        close = get_close_matches(name, REWARDS, n=1)
        hint = f"; did you mean {close[0]}?" if close else "."
        raise ValueError(f"unknown reward {name!r}{hint} Known: {', '.join(REWARDS)}")
    settings = _numbers(name, given) if given else {}
    allowed = [key for key in inspect.signature(REWARDS[name]).parameters if key != "multipliers"]
    for key in settings:
        if key not in allowed:
            raise ValueError(f"reward {name} has no setting {key!r}; it has {', '.join(allowed) or 'none'}")
    try:
        return REWARDS[name](**settings)
    except TypeError as error:
        raise ValueError(f"reward {name} needs settings: {name}:{allowed[0]}=NUMBER") from error


def _numbers(name: str, text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in text.split(","):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        try:
            if not (key and equals) or key in found:
                raise ValueError
            found[key] = float(value)
        except ValueError:
            raise ValueError(f"reward {name}: {part!r} must be setting=number, each setting once") from None
    return found
