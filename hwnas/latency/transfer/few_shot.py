"""From tables of other devices to a predictor of this one: design, measure, fit, validate.

>>> result = few_shot(space, device, [LatencyTable.load("latency_tables/server")], n=20)      # doctest: +SKIP
>>> result.predictor.upper([architecture.network]), result.predictor.held_out                 # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hwnas.latency.devices.device import Device, Identity
from hwnas.latency.fit import fit
from hwnas.latency.measuring.measure import measure
from hwnas.latency.measuring.progress import ProgressCallback
from hwnas.latency.predictors import GpPredictor, LookupPredictor, MissingBlockError
from hwnas.latency.predictors.fitted import FittedPredictor
from hwnas.latency.predictors.validate import HeldOutError, held_out_error
from hwnas.latency.tables.table import LatencyTable
from hwnas.latency.timing.protocol import Protocol
from hwnas.latency.transfer.design import design
from hwnas.latency.transfer.encoder import Encoder
from hwnas.latency.transfer.population import architectures
from hwnas.latency.transfer.predictor import TransferPredictor
from hwnas.spaces import Architecture, SearchSpace

MEASURED, VALIDATED = 20, 10


@dataclass(frozen=True)
class FewShot:
    """A predictor of a new device, and what it was made from.

    Attributes:
        predictor: of kind `transfer`; its held-out error is that on the networks measured to validate it.
        table: everything measured on the device: the designed networks and those.
    """

    predictor: FittedPredictor
    table: LatencyTable


def chosen(
    space: SearchSpace,
    references: Sequence[FittedPredictor] = (),
    *,
    n: int = MEASURED,
    validate_on: int = 0,
    criterion: str = "I",
    seed: int = 0,
) -> tuple[list[Architecture], list[Architecture]]:
    """The `n` architectures that tell the most of the space, and random others to validate on.

    Both come from the thousand of `hwnas.latency.transfer.population`, and no two of them are the same
    network. The first are the best to measure for a `TransferPredictor` with these references and depend on
    nothing else but the criterion (`hwnas.latency.transfer.design`).

    Raises:
        ValueError: the space has fewer different networks, or there is no such criterion.
    """
    candidates = architectures(space)
    if n < 1 or validate_on < 0 or n + validate_on > len(candidates):
        raise ValueError(
            f"{n} networks to fit on and {validate_on} to validate on cannot be chosen from {len(candidates)}"
        )
    networks = [architecture.network for architecture in candidates]
    encoder = Encoder.of(networks, [reference.predictor for reference in references])
    designed = design(encoder, networks, min(2 * n, len(candidates)), criterion=criterion)
    others = np.random.default_rng(seed).permutation(len(candidates))
    fit_on = _distinct((candidates[i] for i in designed), n)
    both = _distinct((*fit_on, *(candidates[i] for i in others)), n + validate_on)
    return fit_on, both[n:]


def _distinct(ordered: Iterable[Architecture], n: int) -> list[Architecture]:
    """The first `n` architectures of different networks; no more keys are found than are needed."""
    found: dict[str, Architecture] = {}
    for architecture in ordered:
        found.setdefault(architecture.network.key, architecture)
        if len(found) == n:
            return list(found.values())
    raise ValueError(f"the space has {len(found)} different networks; {n} were asked for")


def reference(table: LatencyTable, space: SearchSpace) -> FittedPredictor:
    """The predictor of a table that serves best as a reference for networks of `space`.

    The look-up where the table has all blocks of the space's architectures, else `gp`.

    Raises:
        ValueError: the table has too few measured networks, or such that are not of `space`.
    """
    if table.blocks:
        try:
            found = fit(table, LookupPredictor.kind, space=space)
            found.predict(architectures(space))
            return found
        except MissingBlockError:
            pass
    return fit(table, GpPredictor.kind, space=space)


def check_others(tables: Sequence[LatencyTable], new: Identity) -> None:
    """Refuse tables that are given twice, or that are of the new device itself: they would judge themselves.

    Raises:
        ValueError: as above.
    """
    if len({table.table_id for table in tables}) < len(tables):
        raise ValueError("a table of another device is given twice")
    for table in tables:
        if not table.meta.identity.differences(new):
            raise ValueError(
                f"a table of {len(table.networks)} networks is of the new device itself, not of another: fit "
                "on it (kind `transfer` needs no other tables)"
            )


def few_shot(
    space: SearchSpace,
    device: Device,
    tables: Sequence[LatencyTable],
    *,
    n: int = MEASURED,
    validate_on: int = VALIDATED,
    folder: str | Path | None = None,
    protocol: Protocol | None = None,
    progress: ProgressCallback | None = None,
    seed: int = 0,
) -> FewShot:
    """Choose networks, measure them on `device`, fit on them and the tables, and validate on others.

    Args:
        space: the search space.
        device: the new one.
        tables: of other devices, with networks of this space.
        n: networks to fit on.
        validate_on: random networks to validate on; 0 for a cross-validated error instead.
        folder: where the measurements are kept; the same call goes on where it was interrupted.
        protocol: how to time; the device's own by default.
        progress: called before each round of measurements.
        seed: of the networks to validate on, and of the order of measurements.

    Raises:
        ValueError: too few networks asked for or measured, or tables that are not of this space.
        OSError: the folder cannot be written.
        RunnerDiedError: the device cannot be reached.
    """
    if n < TransferPredictor.fewest:
        raise ValueError(
            f"n is {n}; a transfer predictor needs at least {TransferPredictor.fewest} measured networks"
        )
    check_others(tables, device.identity(protocol))
    references = [reference(table, space) for table in tables]
    designed, others = chosen(space, references, n=n, validate_on=validate_on, seed=seed)
    table = measure(
        [*designed, *others],
        device,
        blocks=False,
        folder=folder,
        protocol=protocol,
        progress=progress,
        seed=seed,
        space=str(space),
    )
    fitted_on = {architecture.network.key for architecture in designed}
    kept = {key: entry for key, entry in table.entries.items() if key in fitted_on}
    fitted = fit(
        LatencyTable(table.meta, kept),
        TransferPredictor.kind,
        networks=designed,
        space=space,
        references=references,
        seed=seed,
    )
    error = _validated(fitted, others, table) or fitted.held_out
    card = replace(fitted.card, table_id=table.table_id, held_out=error)
    return FewShot(FittedPredictor(card, fitted.predictor), table)


def _validated(
    fitted: FittedPredictor, others: Sequence[Architecture], table: LatencyTable
) -> HeldOutError | None:
    """The error on those of `others` that could be measured."""
    measured = {key: entry.latency_ms for key, entry in table.entries.items() if not entry.failed}
    networks = [one.network for one in others if one.network.key in measured]
    if not networks:
        return None
    latency_ms = np.array([measured[network.key] for network in networks])
    predicted = fitted.predictor.prediction(networks)
    low, high = fitted.interval(networks)
    covered = float(np.mean((low <= latency_ms) & (latency_ms <= high)))
    half_width = float(np.median((high - low) / 2 / predicted.latency_ms))
    error = held_out_error(predicted.latency_ms, latency_ms)
    return replace(error, covered=covered, half_width=half_width)
