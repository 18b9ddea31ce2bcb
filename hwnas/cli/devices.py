"""From a command's options to a device."""

from __future__ import annotations

from hwnas.latency import ORT_CPU_V1, QUICK, Device, device


def device_of(name: str, *, quick: bool, **options: str | int | None) -> Device:
    """The device of that name with the options that were given: None and False stand for those that were not.

    Raises:
        ValueError: the device does not exist here, lacks an option, or refuses its value.
    """
    given = {option: value for option, value in options.items() if value is not None and value is not False}
    return device(name, protocol=QUICK if quick else ORT_CPU_V1, **given)
