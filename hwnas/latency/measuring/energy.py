"""Energies of models: runs in a row beside the device's meter, after the latencies are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hwnas.latency.devices.device import Device, ModelFailedError, RunnerDiedError

SECONDS = 1.0
"""Least time that a model runs beside the meter: counters move a few to a thousand times a second."""


def energies_mj(
    device: Device,
    models: Mapping[str, bytes],
    *,
    warm_up: int,
    notify: Callable[[str], None],
    keep_open: tuple[int, ...] = (),
) -> dict[str, float]:
    """Millijoules of one inference of each model, idle power included, in a fresh worker.

    A model whose energy cannot be read is left out, and `notify` says why; so are those that follow one
    with which the worker ends: an energy is no reason to lose a latency.
    """
    found: dict[str, float] = {}
    try:
        with device.start(keep_open) as runner:
            runner.hold_machine(notify)
            for number, (key, model) in enumerate(models.items(), start=1):
                notify(f"energy: model {number} of {len(models)}")
                try:
                    runner.load(key, model, warm_up)
                    found[key] = runner.energy_mj(key, SECONDS)
                except ModelFailedError as error:
                    notify(f"no energy: {error}")
    except RunnerDiedError as death:
        notify(f"no further energies: {death}")
    return found
