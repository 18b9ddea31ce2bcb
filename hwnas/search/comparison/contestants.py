"""Who takes part in a comparison: strategies, each without and with every proxy that it can use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import Any

import numpy as np

from hwnas.objectives import Objective
from hwnas.search.comparison.recorded import RecordedMetric
from hwnas.search.settings import check_strategy, make_strategy
from hwnas.search.strategy import STRATEGIES, Strategy
from hwnas.spaces import SearchSpace

WARM_UP = 1000
"""Architectures that are scored for a warm-up, where a strategy has no number of its own."""
_BY_PROXY = ("warm_up_by", "score_by", "move_by", "predict_by")
_SEVERAL = "proxies"


@dataclass(frozen=True)
class Contestant:
    """A strategy with its settings.

    Attributes:
        label: what tables and figures call it.
        strategy: a name of `STRATEGIES`, or what makes one of a space, an objective and a seed.
        settings: beside the seed.
        proxies: the cheap metrics that it uses beside those of the constraints.
        is_peer: whether it is another library's.
    """

    label: str
    strategy: str | Callable[..., Strategy]
    settings: Mapping[str, Any] = field(default_factory=dict)
    proxies: tuple[str, ...] = ()
    is_peer: bool = False

    def make(self, space: SearchSpace, objective: Objective, seed: int) -> Strategy:
        """The strategy; raises ValueError as its constructor does."""
        if isinstance(self.strategy, str):
            return make_strategy(self.strategy, space, objective, seed, self.settings)
        return self.strategy(space, objective, seed=seed, **self.settings)


def named(strategies: str) -> list[str]:
    """The names in `all` or `a,b,c`, each once; raises ValueError for an unknown one."""
    if strategies == "all":
        return list(STRATEGIES)
    names = list(dict.fromkeys(name.strip() for name in strategies.split(",") if name.strip()))
    if not names:
        raise ValueError("no strategy is named: give 'all', or names separated by commas")
    for name in names:
        check_strategy(name, {})
    return names


def contestants(
    names: Sequence[str], proxies: Sequence[str] = (), *, score: str = "auto"
) -> list[Contestant]:
    """Each strategy as it is by default, then with each proxy, then with all where it can use several.

    A proxy is what the strategy warms up by, scores by, moves by or predicts by, whichever of these it can.

    Args:
        names: of strategies.
        proxies: names of metrics.
        score: what strategies that learn from rewards take the objective's metric for, see `scale`.
    """
    found = []
    for name in names:
        parameters = signature(STRATEGIES[name]).parameters
        own = {"score": score} if "score" in parameters else {}
        found.append(Contestant(name, name, own, _default_proxies(parameters)))
        for proxy in proxies:
            settings = _settings(parameters, proxy)
            if settings:
                found.append(Contestant(f"{name} + {proxy}", name, own | settings, (proxy,)))
        if _SEVERAL in parameters and len(proxies) > 1:
            settings = own | {_SEVERAL: tuple(proxies)}
            found.append(Contestant(f"{name} + all proxies", name, settings, tuple(proxies)))
    return found


def scale(target: RecordedMetric) -> str:
    """Whether what is maximised is a fraction (`auto`), a percentage, or has no scale (`rank`)."""
    least, greatest = float(np.nanmin(target.values)), float(np.nanmax(target.values))
    if least < 0 or greatest > 100:
        return "rank"
    return "auto" if greatest <= 1 else "percent"


def _default_proxies(parameters: Mapping[str, Parameter]) -> tuple[str, ...]:
    texts = [parameters[name].default for name in _BY_PROXY if name in parameters]
    several = parameters[_SEVERAL].default if _SEVERAL in parameters else ()
    return tuple(dict.fromkeys([*(text for text in texts if isinstance(text, str)), *(several or ())]))


def _settings(parameters: Mapping[str, Parameter], proxy: str) -> dict[str, Any]:
    """The strategy's settings that make it use a proxy; none where it cannot."""
    if _SEVERAL in parameters:
        return {_SEVERAL: (proxy,)}
    settings: dict[str, Any] = {name: proxy for name in _BY_PROXY if name in parameters}
    if "warm_up_by" in settings and not parameters["warm_up"].default:
        settings["warm_up"] = WARM_UP
    return settings
