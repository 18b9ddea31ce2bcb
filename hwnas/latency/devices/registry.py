"""Devices by name, and the device of this machine that a table was measured on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from hwnas.latency.devices.device import Device, Identity

_REGISTRY: dict[str, type[Device]] = {}


def register(name: str) -> Callable[[type[Device]], type[Device]]:
    """Class decorator: make a device available to ``device(name, ...)``.

    Raises:
        ValueError: the name is taken.
    """

    def add(kind: type[Device]) -> type[Device]:
        if name in _REGISTRY:
            raise ValueError(f"a device named {name!r} exists already")
        _REGISTRY[name] = kind
        return kind

    return add


def devices() -> list[str]:
    """Names of the known devices."""
    return sorted(_REGISTRY)


def device_class(name: str) -> type[Device]:
    """The class of a device.

    Raises:
        ValueError: the name is not known.
    """
    if name not in _REGISTRY:
        raise ValueError(f"no device {name!r}; known: {', '.join(devices())}")
    return _REGISTRY[name]


def device_options(name: str) -> dict[str, inspect.Parameter]:
    """The options of a device: the parameters of its constructor."""
    return dict(inspect.signature(device_class(name)).parameters)


def named(name: str) -> tuple[str, dict[str, str]]:
    """A device's own name and the option that the text states: ``ssh://pi``, ``cortex-m7-cmsisnn:board``."""
    if "://" in name:
        return name.partition("://")[0], {"url": name}
    kind, separator, board = name.partition(":")
    return kind, {"board": board} if separator else {}


def device(name: str, **options: Any) -> Device:
    """Make a device by name.

    ``device("ort-cpu", threads=1)``, ``device("ssh://pi@host", threads=4)``,
    ``device("cortex-m7-cmsisnn:stm32f746")``.

    Raises:
        ValueError: the name or an option is not known or out of range, or this machine has no such device.
    """
    name, stated = named(name)
    options |= stated
    known = device_options(name)
    for option in options:
        if option not in known:
            raise ValueError(f"{name} has no option {option!r}; it has {', '.join(sorted(known)) or 'none'}")
    return device_class(name)(**options)


def device_like(identity: Identity) -> Device:
    """The device of this machine whose numbers are comparable with those of `identity`.

    Raises:
        ValueError: there is none; the message names the fields in which the nearest one differs.
    """
    refused: list[str] = []
    different: list[list[str]] = []
    for name in devices():
        try:
            found = device(name, **_options_stated(name, identity))
        except ValueError as error:
            refused.append(f"{name}: {error}")
            continue
        differences = identity.differences(found.identity())
        if not differences:
            return found
        different.append(differences)
    reasons = min(different, key=len) if different else refused
    raise ValueError(
        f"this machine is not the one that was measured ({identity.device.model}): {'; '.join(reasons)}"
    )


def _options_stated(name: str, identity: Identity) -> dict[str, Any]:
    """The options of a device that the cards state; the others keep their defaults.

    A card comes with a table of anybody's: it decides none but a device's ``options_in_card``.
    """
    cards = identity.runtime.options
    stated: dict[str, Any] = {
        **{option: cards[option] for option in device_class(name).options_in_card if option in cards},
        "threads": identity.device.threads,
        "precision": identity.runtime.precision,
        "protocol": identity.protocol,
    }
    return {
        option: _like(parameter.default, stated[option])
        for option, parameter in device_options(name).items()
        if option in stated
    }


def _like(default: object, value: Any) -> Any:
    """A card's text as the type of the option's default."""
    if isinstance(default, bool) and isinstance(value, str):
        return value == "True"
    if isinstance(default, int) and isinstance(value, str):
        return int(value)
    return value
