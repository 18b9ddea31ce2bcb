"""Who takes part in a comparison: strategies, each without and with every proxy that it can use."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import Any

import numpy as np

from hwnas.objectives import Objective
from hwnas.search.comparison.recorded import RecordedMetric, RecordedSpace
from hwnas.search.fidelity import at_fidelity
from hwnas.search.settings import check_strategy, make_strategy, metrics_of, read_strategy
from hwnas.search.strategy import STRATEGIES, Strategy
from hwnas.spaces import SearchSpace

WARM_UP = 1000
"""Architectures that are scored for a warm-up, where a strategy has no number of its own."""
_BY_PROXY = ("warm_up_by", "score_by", "move_by", "predict_by")
_SEVERAL = "proxies"
_BETWEEN = re.compile(r",(?![^(\[{]*[)\]}])(?![^,:=]*=)")  # not between the settings of a strategy


@dataclass(frozen=True)
class Contestant:
    """A strategy with its settings.

    Attributes:
        label: what tables and figures call it.
        strategy: a name of `STRATEGIES`, or what makes one of a space, an objective and a seed.
        settings: beside the seed.
        proxies: all metrics that it uses beside the objective's and those of the constraints.
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

    def refusal(self, recorded: RecordedSpace, objective: Objective) -> str | None:
        """Why the strategy cannot search the space, or needs what is not recorded; None where it can."""
        try:
            strategy = self.make(recorded.space, objective, seed=0)
            strategy.check(recorded.metrics)
        except ValueError as error:
            return str(error)
        parts = [at_fidelity(objective.maximize, fidelity) for fidelity in strategy.fidelities]
        known = recorded.metrics
        missing = [name for name in (*self.proxies, *parts) if name not in known]
        if not missing:
            return None
        return f"it asks for {missing[0]}, which is not recorded; recorded: {', '.join(known)}"


def named(strategies: str) -> list[str]:
    """The strategies in `all` or `a,b:setting=1,other=2,c`, each once; raises ValueError for others."""
    if strategies == "all":
        return list(STRATEGIES)
    texts = list(dict.fromkeys(text.strip() for text in _BETWEEN.split(strategies) if text.strip()))
    if not texts:
        raise ValueError("no strategy is named: give 'all', or names separated by commas")
    for text in texts:
        check_strategy(*read_strategy(text))
    return texts


def contestants(
    strategies: Sequence[str], proxies: Sequence[str] = (), *, score: str = "auto"
) -> list[Contestant]:
    """Each strategy as it is given, then with each proxy, then with all where it can use several.

    A proxy is what the strategy warms up by, scores by, moves by or predicts by, whichever of these it can.

    Args:
        strategies: names, or names with settings: `evolution:population=10,tournament=3`.
        proxies: names of metrics.
        score: what strategies that learn from rewards take the objective's metric for, see `scale`.

    Raises:
        ValueError: an unknown strategy or setting.
    """
    found = []
    for text in strategies:
        name, given = read_strategy(text)
        check_strategy(name, given)
        parameters = signature(STRATEGIES[name]).parameters
        own = {"score": score, **given} if "score" in parameters else given
        found.append(_contestant(text, name, own))
        if metrics_of(name, given) != metrics_of(name, {}):
            continue
        for proxy in proxies:
            if settings := _settings(parameters, proxy):
                found.append(_contestant(f"{text} + {proxy}", name, settings | own))
        if _SEVERAL in parameters and len(proxies) > 1:
            found.append(_contestant(f"{text} + all proxies", name, own | {_SEVERAL: tuple(proxies)}))
    return found


def _contestant(label: str, name: str, settings: Mapping[str, Any]) -> Contestant:
    return Contestant(label, name, settings, tuple(metrics_of(name, settings)))


def scale(target: RecordedMetric) -> str:
    """Whether what is maximised is a fraction (`auto`), a percentage, or has no scale (`rank`)."""
    least, greatest = float(np.nanmin(target.values)), float(np.nanmax(target.values))
    if least < 0 or greatest > 100:
        return "rank"
    return "auto" if greatest <= 1 else "percent"


def _settings(parameters: Mapping[str, Parameter], proxy: str) -> dict[str, Any]:
    """The strategy's settings that make it use a proxy; none where it cannot."""
    if _SEVERAL in parameters:
        return {_SEVERAL: (proxy,)}
    settings: dict[str, Any] = {name: proxy for name in _BY_PROXY if name in parameters}
    if "warm_up_by" in settings and not parameters["warm_up"].default:
        settings["warm_up"] = WARM_UP
    return settings
