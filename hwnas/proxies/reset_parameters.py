"""Giving a module new random weights, as its layers draw them when they are made."""

from collections.abc import Callable

from torch import nn


def reset_parameters(module: nn.Module) -> None:
    """Draw all parameters anew, in place, with every submodule's own `reset_parameters`.

    Running statistics start anew too, where the submodule resets them.

    Raises:
        ValueError: when a submodule holds parameters and has no `reset_parameters`, naming each of those.
    """
    without = [
        name or "(root)"
        for name, part in module.named_modules()
        if any(True for _ in part.parameters(recurse=False)) and not _has_reset(part)
    ]
    if without:
        raise ValueError(
            f"module: no method reset_parameters() in {', '.join(without)}; "
            "add one that draws the parameters anew"
        )
    for part in module.modules():
        reset = _reset_of(part)
        if reset is not None:
            reset()


def _has_reset(part: nn.Module) -> bool:
    return _reset_of(part) is not None


def _reset_of(part: nn.Module) -> Callable[[], None] | None:
    # MultiheadAttention's own is called _reset_parameters.
    return getattr(part, "reset_parameters", None) or getattr(part, "_reset_parameters", None)
