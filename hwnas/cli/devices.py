"""From a command's options to a device."""

from __future__ import annotations

from hwnas.latency import QUICK, STANDARD, Device, device
from hwnas.latency.devices.registry import device_options, named


def device_of(name: str, *, quick: bool, **options: str | int | None) -> Device:
    """The device of that name with the options that were given: None and False stand for those that were not.

    Raises:
        ValueError: the device does not exist here, lacks an option, or refuses its value; `quick` for one
            that times nothing.
    """
    given = {option: value for option, value in options.items() if value is not None and value is not False}
    if "protocol" in device_options(named(name)[0]):
        return device(name, protocol=QUICK if quick else STANDARD, **given)
    if quick:
        raise ValueError(f"--quick: {name} estimates latencies and times nothing; leave --quick out")
    return device(name, **given)
