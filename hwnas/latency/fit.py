"""From a latency table to a predictor with its held-out error.

>>> predictor = fit(table, kind="gbm", space="mobilenetv2:resolution=96,classes=10")   # doctest: +SKIP
>>> predictor.held_out.within_10, predictor.predict([architecture.network])            # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import numpy as np

from hwnas.latency.measuring.networks import Measurable, network_of
from hwnas.latency.predictors import MissingBlockError, PartsPredictor, Predictor, predictor_class
from hwnas.latency.predictors.base import Floats, Prediction, check_latencies
from hwnas.latency.predictors.calibration import Calibration, calibrate
from hwnas.latency.predictors.composition import AFFINE, COMPOSITIONS
from hwnas.latency.predictors.features import FEATURE_VERSION
from hwnas.latency.predictors.fitted import FittedPredictor, PredictorCard
from hwnas.latency.predictors.neighbours import Neighbours
from hwnas.latency.predictors.validate import (
    CrossValidation,
    Indices,
    can_cross_validate,
    cross_validate,
    cross_validated,
)
from hwnas.latency.tables.entry import Entry
from hwnas.latency.tables.plausible import check_plausible
from hwnas.latency.tables.table import LatencyTable
from hwnas.latency.transfer.encoder import Encoder
from hwnas.latency.transfer.population import population
from hwnas.latency.transfer.predictor import TransferPredictor
from hwnas.network.network import Network
from hwnas.spaces import SearchSpace, space_of_file
from hwnas.spaces import space as space_of


def fit(
    table: LatencyTable,
    kind: str = "gbm",
    *,
    networks: Iterable[Measurable] | None = None,
    space: str | SearchSpace | None = None,
    composition: str = AFFINE,
    interpolate: bool = False,
    references: Sequence[FittedPredictor] = (),
    seed: int = 0,
) -> FittedPredictor:
    """Fit a predictor on the measured networks of a table, and cross-validate and calibrate it on them.

    A table has keys and names, not networks. `lookup` and `kernel` need no more; the other kinds need the
    networks: given, or named as architectures of a given space. Entries that failed to be measured are left
    out.

    Args:
        table: the measurements.
        kind: one of `hwnas.latency.predictors.kinds`: `lookup`, `gp`, ..., or one of one's own.
        networks: networks or architectures that hold the table's; more do not matter.
        space: the space in which the table's names are to be read, or its text; by default the one that the
            table names, if it is one of hwnas's own.
        composition: (lookup, kernel) `affine`: a line through the whole networks corrects the sums; `sum`:
            the plain sums.
        interpolate: (lookup, kernel) estimate parts that were not measured from those of their structure,
            with an `InterpolatedWarning`, instead of refusing networks that have them; needs the networks.
        references: (transfer) fitted predictors of other devices, for networks of the same space.
        seed: of the folds.

    Raises:
        ValueError: an unknown kind or composition; an option of another kind; too few networks for it; a
            network of the table is neither among `networks` nor a name in `space`; a latency that is not
            positive, or that cannot be one in the table's unit.
        MissingBlockError: (lookup, kernel) the table has whole networks, but not all of their parts.
    """
    make = predictor_class(kind)
    _check_options(make, composition, interpolate, references)
    parsed = _space(table, networks, space)
    entries = [entry for entry in table.networks if not entry.failed]
    measured = _latencies(entries)
    check_plausible(table)
    predictor: Predictor
    if issubclass(make, PartsPredictor):
        if parsed is not None and table.meta.space not in (None, str(parsed)):
            raise ValueError(f"the table is of space {table.meta.space}, not of {parsed}")

        def neighbours(part_ms: Mapping[str, float]) -> Neighbours | None:
            if not interpolate:
                return None
            found = _networks_of(entries, networks, parsed)
            return Neighbours.of((part for network in found for part in make.parts_of(network)), part_ms)

        predictor, found = _fit_parts(
            make, table, entries, measured, composition=composition, neighbours=neighbours, seed=seed
        )
    else:
        check_latencies(measured, str, n=len(entries), fewest=make.fewest, kind=kind)
        whole = _networks_of(entries, networks, parsed)
        maker = _maker(make, references, parsed, whole)
        predictor, found = _fit_networks(maker, make.fewest, whole, measured, seed)
    card = PredictorCard(
        kind=kind,
        identity=table.meta.identity,
        table_id=table.table_id,
        networks=len(entries),
        space=table.meta.space if parsed is None else str(parsed),
        seed=seed,
        feature_version=FEATURE_VERSION,
        sentinels=dict(table.meta.sentinels),
        held_out=found.error if found else None,
        calibration=_calibration(predictor, found),
        composition=predictor.composition.name if isinstance(predictor, PartsPredictor) else None,
    )
    return FittedPredictor(card, predictor)


def _space(
    table: LatencyTable, networks: Iterable[Measurable] | None, space: str | SearchSpace | None
) -> SearchSpace | None:
    """The space given, or the one that the table names where the networks are not given."""
    if isinstance(space, str):
        return space_of(space)
    if space is None and table.meta.space is not None and networks is None:
        return space_of_file(table.meta.space)
    return space


def _check_options(
    make: type[Predictor], composition: str, interpolate: bool, references: Sequence[FittedPredictor]
) -> None:
    if references and not issubclass(make, TransferPredictor):
        raise ValueError(f"a {make.kind} predictor learns nothing of other devices: fit kind 'transfer'")
    if composition not in COMPOSITIONS:
        raise ValueError(f"composition must be {' or '.join(COMPOSITIONS)}, not {composition!r}")
    if not issubclass(make, PartsPredictor) and (interpolate or composition != AFFINE):
        raise ValueError(f"a {make.kind} predictor adds no parts: composition and interpolate are for those")


def _calibration(predictor: Predictor, found: CrossValidation | None) -> Calibration | None:
    """The predictor's posterior, or the scores of the cross-validation."""
    if predictor.freedom is not None:
        return Calibration((), predictor.freedom)
    return calibrate(found.scores) if found else None


def _latencies(entries: Sequence[Entry]) -> Floats:
    times = np.array([entry.latency_ms for entry in entries], dtype=np.float64)
    return check_latencies(times, lambda i: _named(entries[i]), n=len(entries), fewest=0, kind="")


def _named(entry: Entry) -> str:
    return f"{entry.kind} {entry.name or '(no name)'} (key {entry.key})"


def _maker(
    make: type[Predictor],
    references: Sequence[FittedPredictor],
    space: SearchSpace | None,
    measured: Sequence[Network],
) -> Callable[[], Predictor]:
    """What makes predictors to be fitted; those of kind `transfer` share an encoder of the space."""
    if not issubclass(make, TransferPredictor):
        return make
    networks = measured if space is None else population(space)
    return partial(make, Encoder.of(networks, [reference.predictor for reference in references]))


def _fit_networks(
    make: Callable[[], Predictor], fewest: int, networks: Sequence[Network], measured: Floats, seed: int
) -> tuple[Predictor, CrossValidation | None]:
    validation = None
    if can_cross_validate(len(networks), fewest):
        validation = cross_validate(make, networks, measured, seed=seed)
    predictor = make()
    predictor.fit(networks, measured)
    return predictor, validation


def _networks_of(
    entries: Sequence[Entry], networks: Iterable[Measurable] | None, space: SearchSpace | None
) -> list[Network]:
    if networks is None and space is None:
        raise ValueError(
            "a table has no networks, only their names: give networks=..., or the space of the names"
        )
    given = {network.key: network for network in map(network_of, networks or ())}
    return [given[entry.key] if entry.key in given else _parsed(entry, space) for entry in entries]


def _parsed(entry: Entry, space: SearchSpace | None) -> Network:
    """The network that the entry's name describes in `space`."""
    if space is None:
        raise ValueError(f"{_named(entry)} of the table is not among the networks given")
    try:
        network = space.parse(entry.name).network
    except ValueError as error:
        raise ValueError(f"{_named(entry)} cannot be read in space {space}: {error}") from error
    if network.key != entry.key:
        raise ValueError(
            f"{_named(entry)} is another network in space {space}: was it measured with other settings?"
        )
    return network


def _fit_parts(
    make: type[PartsPredictor],
    table: LatencyTable,
    entries: Sequence[Entry],
    measured: Floats,
    *,
    composition: str,
    neighbours: Callable[[Mapping[str, float]], Neighbours | None],
    seed: int,
) -> tuple[PartsPredictor, CrossValidation | None]:
    part_ms = _part_latencies(make, table, entries)
    sums = np.array([_sum(entry, part_ms, table, make.part) for entry in entries], dtype=np.float64)

    def fit_predict(kept: Indices, held_out: Indices) -> Prediction:
        part = make({})
        part.fit_sums(sums[kept], measured[kept], composition)
        return Prediction(part.predict_sums(sums[held_out]), np.ones(len(held_out)))

    validation = None
    if can_cross_validate(len(entries), make.fewest):
        validation = cross_validated(fit_predict, measured, seed=seed)
    predictor = make(part_ms, neighbours=neighbours(part_ms))
    predictor.fit_sums(sums, measured, composition)
    return predictor, validation


def _part_latencies(
    make: type[PartsPredictor], table: LatencyTable, entries: Sequence[Entry]
) -> dict[str, float]:
    """Latencies in milliseconds of all measured parts; a block may also stand there as a network."""
    inside = {key for entry in entries for key, _ in entry.blocks}
    parts = [
        entry
        for entry in table
        if not entry.failed and (entry.kind == make.part or (entry.kind == "network" and entry.key in inside))
    ]
    times = _latencies(parts)
    if not parts:
        raise ValueError(
            f"the table has no measured {make.part}s, which a {make.kind} predictor adds up: "
            f"measure them, or fit another kind"
        )
    return {entry.key: float(time) for entry, time in zip(parts, times, strict=True)}


def _sum(entry: Entry, part_ms: Mapping[str, float], table: LatencyTable, part: str) -> float:
    if not entry.blocks:
        raise ValueError(f"{_named(entry)} does not say what {part}s it consists of: measure it again")
    missing = [key for key, _ in entry.blocks if key not in part_ms]
    if missing:
        raise MissingBlockError(
            f"the table lacks {len(missing)} of the {len(entry.blocks)} distinct {part}s of {_named(entry)}: "
            + "; ".join(_why_missing(key, table) for key in missing[:5])
        )
    return sum(count * part_ms[key] for key, count in entry.blocks)


def _why_missing(key: str, table: LatencyTable) -> str:
    if key not in table:
        return f"{key} was not measured"
    return f"{key} ({table[key].name}) failed: {table[key].reason}"
