"""The table of proxies: a dict, a decorator, and an error when two proxies want one name."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from hwnas.proxies.context import Context, Need
from hwnas.proxies.result import Measurement

Mode = Literal["train", "eval", "as-is", "none"]
Function = TypeVar("Function", bound=Callable[[Context], Measurement])


@dataclass(frozen=True)
class Proxy:
    """A zero-cost proxy: how it is computed and how its value is to be read.

    Attributes:
        name: what `score` and the command line call it.
        function: computes it from a `Context`.
        higher_is_better: the direction in which it is meant to rank networks.
        needs: what it asks of the caller: "shape" (of one image), "data" (a batch of images), "labels";
            "network" (the module's `Network`). What it differentiates: "gradients" (by weights),
            "activations" (by layers' outputs too), "second-order" (gradients once more), "jacobian" (by the
            images). Empty: the module alone.
        mode: the mode it puts its copy of the module in; "as-is" keeps each submodule's own mode, "none"
            does not run the module.
        summary: one line for a listing.
        source: the paper and equation it comes from.
    """

    name: str
    function: Callable[[Context], Measurement]
    higher_is_better: bool
    needs: frozenset[Need]
    mode: Mode
    summary: str
    source: str


JOINED = ("vote", "tenas", "aznas", "zero_cost")
_PROXIES: dict[str, Proxy] = {}


def proxy(
    *,
    name: str,
    higher_is_better: bool,
    needs: tuple[Need, ...],
    mode: Mode,
    summary: str,
    source: str,
) -> Callable[[Function], Function]:
    """Register the decorated function as the proxy `name`; the arguments are those of `Proxy`.

    Raises:
        ValueError: when a proxy of that name is registered already.
    """

    def register(function: Function) -> Function:
        if name in _PROXIES:
            taken_by = _PROXIES[name].function
            raise ValueError(
                f"proxy {name!r} is registered already, by {taken_by.__module__}: choose another name"
            )
        _PROXIES[name] = Proxy(name, function, higher_is_better, frozenset(needs), mode, summary, source)
        return function

    return register


def get(name: str) -> Proxy:
    """Return the proxy called `name`.

    Raises:
        ValueError: when there is none; the message lists the nearest names.
    """
    if name in JOINED:
        raise ValueError(
            f"proxies: {name!r} joins proxies by their ranks among many networks: score its parts, and "
            "`hwnas correlate` or hwnas.proxies.ranks joins them"
        )
    if name not in _PROXIES:
        near = difflib.get_close_matches(str(name), _PROXIES, n=3, cutoff=0.5) or names()
        raise ValueError(f"proxies: there is no proxy {name!r}; did you mean {', '.join(near)}?")
    return _PROXIES[name]


def names() -> tuple[str, ...]:
    """Return the names of all registered proxies, sorted."""
    return tuple(sorted(_PROXIES))
