"""A predictor with where it comes from and how good it is, and its folder.

`predictor.json` says what was fitted on what, `arrays.npz` holds the numbers. Nothing is pickled.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from hwnas.files import read_file, write_together
from hwnas.latency.devices.device import Identity
from hwnas.latency.measuring.networks import Measurable, network_of
from hwnas.latency.predictors.arrays import MAX_BYTES, pack, unpack
from hwnas.latency.predictors.base import ARRAYS_FILE, Floats, Prediction, Predictor, predictor_class
from hwnas.latency.predictors.calibration import LEVEL, Calibration, check_level
from hwnas.latency.predictors.composition import COMPOSITIONS
from hwnas.latency.predictors.features import FEATURE_VERSION
from hwnas.latency.predictors.validate import HeldOutError, fewest_to_calibrate
from hwnas.latency.records import from_plain, to_plain
from hwnas.latency.tables.drift import check_sentinels
from hwnas.latency.tables.entry import check_space
from hwnas.latency.tables.table import require_comparable
from hwnas.network.network import Network

SCHEMA_VERSION = 2
CHUNK = 256
CARD_FILE = "predictor.json"
_LARGEST_CARD = 1 << 24
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class PredictorCard:
    """What a predictor was fitted on, and how good it is.

    Attributes:
        kind: kind of the predictor.
        identity: device, runtime and protocol of the measurements.
        table_id: id of the latency table.
        networks: number of measured networks it was fitted on.
        space: text that `hwnas.spaces.space` reads, or None where the networks were given otherwise.
        seed: of the folds.
        feature_version: version of the descriptors of layers.
        sentinels: times of the table's sentinels in microseconds: how fast the machine was then.
        held_out: error on networks that were held out, by cross-validation on the table's or measured only
            to validate; None where there are too few of them.
        calibration: what intervals are drawn from; None where there are too few networks.
        composition: (lookup, kernel) how sums of parts become latencies, `sum` or `affine`; else None.

    Raises:
        ValueError: a value is out of range; the message names it.
    """

    kind: str
    identity: Identity
    table_id: str
    networks: int
    space: str | None
    seed: int
    feature_version: int
    sentinels: dict[str, float]
    held_out: HeldOutError | None
    calibration: Calibration | None
    composition: str | None = None

    def __post_init__(self) -> None:
        predictor_class(self.kind)
        if self.composition not in (None, *COMPOSITIONS):
            raise ValueError(f"composition is {self.composition!r}; it must be {' or '.join(COMPOSITIONS)}")
        check_sentinels(self.sentinels)
        check_space(self.space)
        if not _SHA256.fullmatch(self.table_id):
            raise ValueError(f"table_id is {self.table_id!r}; it must be 64 hex digits")
        if self.networks < 0:
            raise ValueError(f"networks is {self.networks}; it must not be negative")
        if self.feature_version != FEATURE_VERSION:
            raise ValueError(
                f"feature_version is {self.feature_version}; this version reads {FEATURE_VERSION}: fit again"
            )


@dataclass(frozen=True)
class FittedPredictor:
    """A fitted predictor and its card.

    >>> predictor.predict([architecture.network])               # doctest: +SKIP
    array([4.21])
    >>> predictor.upper([architecture.network], level=0.9)      # doctest: +SKIP
    array([4.47])
    """

    card: PredictorCard
    predictor: Predictor

    @property
    def kind(self) -> str:
        """Kind of the predictor."""
        return self.card.kind

    @property
    def held_out(self) -> HeldOutError | None:
        """Error on networks that were held out; see `PredictorCard`."""
        return self.card.held_out

    def predict(self, items: Iterable[Measurable]) -> Floats:
        """Latencies of networks or architectures in milliseconds, `[n]`; raises as the predictor's own.

        Networks of architectures are made a few at a time, so that memory stays flat.
        """
        found = [self.predictor.predict(networks) for networks in _chunks(items)]
        return np.concatenate(found) if found else np.empty(0)

    def upper(self, items: Iterable[Measurable], level: float = LEVEL) -> Floats:
        """Latencies in milliseconds, `[n]`, that each measurement exceeds with probability 1 - `level`.

        Raises:
            ValueError: `level` is not a probability from 0.5; there is no calibration.
        """
        score = self._calibration(level).upper(level)
        latency_ms, relative_std = self._predictions(items)
        return np.maximum(latency_ms * (1 + score * relative_std), 0)

    def interval(self, items: Iterable[Measurable], level: float = LEVEL) -> tuple[Floats, Floats]:
        """Lower and upper ends in milliseconds, each `[n]`, of what holds measurements with that probability.

        Raises:
            ValueError: `level` is not a probability from 0.5; there is no calibration.
        """
        score = self._calibration(level).half_width(level)
        latency_ms, relative_std = self._predictions(items)
        half = latency_ms * score * relative_std
        return np.maximum(latency_ms - half, 0), latency_ms + half

    def probability_within(self, items: Iterable[Measurable], bound_ms: float) -> Floats:
        """With which probability each measurement is at most `bound_ms`: `[n]`.

        Raises:
            ValueError: there is no calibration.
        """
        calibration = self._calibration(LEVEL)
        latency_ms, relative_std = self._predictions(items)
        return calibration.probability_below((bound_ms / latency_ms - 1) / relative_std)

    def _calibration(self, level: float) -> Calibration:
        check_level(level)
        if self.card.calibration is None:
            raise ValueError(
                f"this {self.kind} predictor has no calibration: {self.card.networks} measured networks were "
                f"too few to hold some out; {fewest_to_calibrate(type(self.predictor).fewest)} are needed"
            )
        return self.card.calibration

    def _predictions(self, items: Iterable[Measurable]) -> Prediction:
        found = [self.predictor.prediction(networks) for networks in _chunks(items)]
        columns = [np.concatenate(column) for column in zip(*found, strict=True)]
        return Prediction(*columns) if found else Prediction(np.empty(0), np.empty(0))

    @property
    def is_calibrated(self) -> bool:
        """Whether `upper` and `interval` can be given."""
        return self.card.calibration is not None

    def check_device(self, card: Identity) -> None:
        """Refuse to speak for another device, runtime or protocol.

        Raises:
            DeviceMismatchError: a ValueError that names the fields that differ.
        """
        require_comparable(self.card.identity, card, f"this {self.kind} predictor and the device")

    def check_space(self, space: str) -> None:
        """Refuse networks of another space than the one that a `transfer` predictor was fitted for.

        Raises:
            ValueError: as above; the other kinds know any network, or say which parts they lack.
        """
        if self.kind == "transfer" and self.card.space not in (None, space):
            raise ValueError(f"this transfer predictor is of space {self.card.space}, not of {space}")

    def save(self, folder: str | Path) -> None:
        """Write the folder, which is made if need be; a predictor that stood there is replaced.

        `predictor.json` is replaced last; a mixture left by a crash between the two is detected by `load`.

        Raises:
            OSError: the folder cannot be written; what stood there is unchanged.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        packed = pack(self.predictor.arrays())
        head = {"schema_version": SCHEMA_VERSION, "arrays_sha256": hashlib.sha256(packed).hexdigest()}
        card = json.dumps({**head, **to_plain(self.card)}, indent=2, allow_nan=False) + "\n"
        write_together(folder, {ARRAYS_FILE: packed, CARD_FILE: card.encode()})

    @classmethod
    def load(cls, folder: str | Path) -> FittedPredictor:
        """Read what `save` wrote and check every field.

        Raises:
            FileNotFoundError: the folder or one of its files is missing.
            ValueError: a file is no plain one, too large, damaged or of another version; the message names
                file and field.
        """
        folder = Path(folder)
        path = folder / CARD_FILE
        stored = _read_json(path)
        version = stored.pop("schema_version", None)
        if version != SCHEMA_VERSION:
            raise ValueError(f"{path}: schema_version is {version!r}; this version reads {SCHEMA_VERSION}")
        stated = stored.pop("arrays_sha256", None)
        card = from_plain(PredictorCard, stored, str(path))
        packed = read_file(folder / ARRAYS_FILE, MAX_BYTES)
        arrays = unpack(packed, str(folder / ARRAYS_FILE))
        if stated != hashlib.sha256(packed).hexdigest():
            raise ValueError(
                f"{path}: field 'arrays_sha256' is not that of {ARRAYS_FILE}: damaged, or changed"
            )
        return cls(card, predictor_class(card.kind).from_arrays(arrays))


def _chunks(items: Iterable[Measurable]) -> Iterator[list[Network]]:
    """The networks of `items`, `CHUNK` at a time."""
    rest = iter(items)
    return iter(lambda: [network_of(item) for item in islice(rest, CHUNK)], [])


def _read_json(path: Path) -> dict[str, Any]:
    content = read_file(path, _LARGEST_CARD)
    try:
        data = json.loads(content.decode())
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path}: an object was expected")
    return data
