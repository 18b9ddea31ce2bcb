"""Spaces by name, as the command line gives them: `mobilenetv2:resolution=96,classes=10`."""

from __future__ import annotations

import importlib
import inspect
from difflib import get_close_matches
from typing import Any

from hwnas.spaces.darts import DARTS
from hwnas.spaces.fbnet import FBNet
from hwnas.spaces.mcunet import MCUNet
from hwnas.spaces.mobilenetv2 import MobileNetV2
from hwnas.spaces.nasbench101 import NASBench101
from hwnas.spaces.nasbench201 import NASBench201
from hwnas.spaces.ofa_mobilenetv3 import OFAMobileNetV3
from hwnas.spaces.proxylessnas import ProxylessNAS
from hwnas.spaces.space import SearchSpace
from hwnas.spaces.transnasbench101 import TransNASBench101Macro, TransNASBench101Micro
from hwnas.spec import read_settings
from hwnas.typed import check_settings

SPACES: dict[str, type[SearchSpace]] = {
    space.name: space
    for space in (
        NASBench201,
        MobileNetV2,
        FBNet,
        OFAMobileNetV3,
        ProxylessNAS,
        MCUNet,
        DARTS,
        NASBench101,
        TransNASBench101Micro,
        TransNASBench101Macro,
    )
}


def space(spec: str, **settings: Any) -> SearchSpace:
    """The space called `spec`, with `settings` beyond those that the text gives.

    `spec` is a known name or `module:Class` of one's own, and may end in `:key=value,...`; values are
    Python literals (`kernels=(3,5,7)`).

    Raises:
        ValueError: an unknown space or setting, or a setting out of range; says what would be right.
    """
    name, *rest = spec.split(":")
    if name in SPACES:
        kind = SPACES[name]
    elif rest and "=" not in rest[0]:
        kind = _imported(name, rest.pop(0))
    else:
        close = get_close_matches(name, SPACES, n=1)
        hint = f"; did you mean {close[0]}?" if close else "."
        raise ValueError(
            f"unknown space {name!r}{hint} Known: {', '.join(SPACES)}, or your own as module:Class"
        )
    given = read_settings(":".join(rest), "a space") if rest else {}
    allowed = list(inspect.signature(kind).parameters)
    for key in (*given, *settings):
        if key not in allowed:
            raise ValueError(f"space {name} has no setting {key!r}; it has {', '.join(allowed) or 'none'}")
    check_settings(kind, {**given, **settings}, f"space {name}")
    try:
        return kind(**given, **settings)
    except TypeError as error:
        raise ValueError(f"space {name}: {error}") from error


def space_of_file(text: str) -> SearchSpace:
    """The space that a file names: one of hwnas's own, since no file of others may have a module imported.

    Raises:
        ValueError: a space of somebody's own, an unknown one, or wrong settings.
    """
    name = text.split(":")[0]
    if name not in SPACES:
        raise ValueError(f"the space {text[:60]!r} is not one of hwnas's own: name it (--space, or space=)")
    return space(text)


def spec(space: SearchSpace) -> str:
    """Text that makes an equal space: the name, and the settings that differ from the defaults."""
    kind = type(space)
    name = space.name if SPACES.get(space.name) is kind else f"{kind.__module__}:{kind.__qualname__}"
    parameters = inspect.signature(kind).parameters
    given = [
        f"{key}={_literal(value)}"
        for key, value in space.settings().items()
        if value != parameters[key].default
    ]
    return f"{name}:{','.join(given)}" if given else name


def _literal(value: object) -> str:
    """A Python literal, sequences without the spaces that would need quoting in a shell."""
    return repr(value) if isinstance(value, str) else repr(value).replace(", ", ",")


def _imported(module: str, class_name: str) -> type[SearchSpace]:
    try:
        kind = getattr(importlib.import_module(module), class_name)
    except Exception as error:  # whatever somebody else's module does when it is imported
        raise ValueError(f"no space {module}:{class_name}: {type(error).__name__}: {error}") from error
    if not (isinstance(kind, type) and issubclass(kind, SearchSpace)):
        raise ValueError(f"{module}:{class_name} is not a SearchSpace")
    return kind
