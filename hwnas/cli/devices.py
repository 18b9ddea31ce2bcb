"""From a command's options to a device."""

from __future__ import annotations

from hwnas.latency import QUICK, STANDARD, Device, device


def device_of(name: str, *, quick: bool, **options: str | int | None) -> Device:
    """The device of that name with the options that were given: None and False stand for those that were not.

    Raises:
        ValueError: the device does not exist here, lacks an option, or refuses its value.
    """
    given = {option: value for option, value in options.items() if value is not None and value is not False}
    return device(name, protocol=QUICK if quick else STANDARD, **given)
