"""Predictors that add up measured parts of networks: blocks, or the kernels of a runtime."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.block_ids import description_of, key_of, network_of
from hwnas.latency.predictors.arrays import Arrays
from hwnas.latency.predictors.base import Floats, Predictor, check_latencies
from hwnas.latency.predictors.composition import AFFINE, COMPOSITIONS, SUM, Composition, affine
from hwnas.latency.predictors.neighbours import InterpolatedWarning, Neighbours
from hwnas.network.network import Network

_NAMED = 5
Self = TypeVar("Self", bound="PartsPredictor")


class MissingBlockError(LookupError, ValueError):
    """The table lacks parts of a network; the message says how many, and describes some."""


class PartsPredictor(Predictor):
    """Latency = a + b · (sum of the latencies of the network's parts); see `composition`.

    Without whole networks (`fit([], [])`, or no `fit`) it is the plain sum.

    Args:
        part_ms: latency in milliseconds of each part, by canonical key.
        neighbours: what parts that were not measured are estimated from (`InterpolatedWarning` says so);
            None: a part that was not measured is an error.

    Attributes:
        part: what is added up, `block` or `kernel`: the kind of a table's entries.
        composition: how a sum becomes a latency.

    Raises:
        ValueError: a latency is not positive and finite; the message names the part.
    """

    part: ClassVar[str]
    fewest: ClassVar[int] = 2

    def __init__(self, part_ms: Mapping[str, float], *, neighbours: Neighbours | None = None) -> None:
        keys = list(part_ms)
        times = np.array([part_ms[key] for key in keys], dtype=np.float64)
        check_latencies(times, lambda i: f"{self.part} {keys[i]}", n=len(keys), fewest=0, kind=self.kind)
        self.part_ms = dict(zip(keys, times.tolist(), strict=True))
        self.neighbours = neighbours
        self.composition = Composition()

    @staticmethod
    @abstractmethod
    def part_ids(network: Network) -> bytes:
        """The parts of `network`, repeated ones repeatedly: packed numbers of `block_ids`."""

    @staticmethod
    @abstractmethod
    def parts_of(network: Network) -> Sequence[Network]:
        """The distinct parts of `network`."""

    def fit(self, networks: Sequence[Network], latency_ms: Floats) -> None:
        """Fit the line by least squares on relative errors; as `Predictor.fit`, no networks: the plain sum.

        Raises:
            MissingBlockError: the table lacks parts of the networks.
        """
        self.fit_sums(self.sums(networks), latency_ms)

    def fit_sums(self, sums_ms: Floats, latency_ms: Floats, composition: str = AFFINE) -> None:
        """Fit on the sums of the networks' parts, `[n]`, instead of the networks; `sum` fits nothing.

        Raises:
            ValueError: as `Predictor.fit`; an unknown composition.
        """
        if composition not in COMPOSITIONS:
            raise ValueError(f"composition must be {' or '.join(COMPOSITIONS)}, not {composition!r}")
        n = len(sums_ms)
        measured = check_latencies(latency_ms, lambda i: f"network {i}", n=n, fewest=0, kind=self.kind)
        if n == 0 or composition == SUM:
            self.composition = Composition()
            return
        check_latencies(latency_ms, str, n=n, fewest=self.fewest, kind=self.kind)
        self.composition = affine(sums_ms, measured)

    def predict(self, networks: Sequence[Network]) -> Floats:
        """Latencies in milliseconds, `[n]`; warns (`InterpolatedWarning`) where parts are estimated.

        Raises:
            MissingBlockError: the table lacks parts of the networks.
        """
        ids, rows = self._ids(networks)
        times, is_estimate = self._times(ids)
        if is_estimate[ids].any():
            affected = len(np.unique(rows[is_estimate[ids]]))
            warnings.warn(
                f"{affected} of {len(networks)} networks have {self.part}s that were not measured; their "
                "latencies are interpolated",
                InterpolatedWarning,
                stacklevel=2,
            )
        return self.predict_sums(_summed(rows, times[ids], len(networks)))

    def predict_sums(self, sums_ms: Floats) -> Floats:
        """Latencies in milliseconds of networks whose parts sum to `sums_ms`; both `[n]`."""
        return self.composition.apply(sums_ms)

    def sums(self, networks: Sequence[Network]) -> Floats:
        """The sums of the networks' parts in milliseconds, `[n]`; raises `MissingBlockError`."""
        ids, rows = self._ids(networks)
        return _summed(rows, self._times(ids)[0][ids], len(networks))

    def interpolated_share(self, networks: Sequence[Network]) -> Floats:
        """Of each network's sum, the share that is estimated and not measured, 0 to 1: `[n]`."""
        ids, rows = self._ids(networks)
        times, is_estimate = self._times(ids)
        estimated = _summed(rows, (times * is_estimate)[ids], len(networks))
        return np.asarray(estimated / _summed(rows, times[ids], len(networks)))

    def _ids(self, networks: Sequence[Network]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The numbers of all parts of all networks, and the network of each."""
        packed = [self.part_ids(network) for network in networks]
        rows = np.repeat(np.arange(len(packed)), [len(part) // 4 for part in packed])
        return np.frombuffer(b"".join(packed), dtype="<i4"), rows

    def _times(self, ids: NDArray[np.int32]) -> tuple[Floats, NDArray[np.bool_]]:
        """Milliseconds by number of a part, for those among `ids`, and which of them are estimates."""
        used = np.flatnonzero(np.bincount(ids)).tolist()
        times = np.zeros(max(used, default=-1) + 1)
        is_estimate = np.zeros(len(times), dtype=np.bool_)
        missing = []
        for number in used:
            time = self.part_ms.get(key_of(number))
            if time is None and self.neighbours is not None:
                time = self.neighbours.estimate(network_of(number))
                is_estimate[number] = time is not None
            if time is None:
                missing.append(number)
            else:
                times[number] = time
        if missing:
            raise MissingBlockError(self._missing_message(missing, len(used)))
        return times, is_estimate

    def _missing_message(self, missing: list[int], used: int) -> str:
        named = "; ".join(description_of(number) for number in missing[:_NAMED])
        more = f"; and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        why = "" if self.neighbours is None else ", and too few of their structure to interpolate from"
        return (
            f"the table lacks {len(missing)} of {used} distinct {self.part}s: {named}{more}{why}; "
            "measure them too"
        )

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Keys and latencies of the parts, the line, and what estimates rest on."""
        line = self.composition
        neighbours = self.neighbours.arrays() if self.neighbours is not None else {}
        return {
            "part_keys": np.array(list(self.part_ms), dtype="U128"),
            "part_ms": np.array(list(self.part_ms.values()), dtype=np.float64),
            "line": np.array([line.offset_ms, line.slope, line.smallest_sum_ms]),
            **neighbours,
        }

    @classmethod
    def from_arrays(cls: type[Self], arrays: Arrays) -> Self:
        """As `Predictor.from_arrays`."""
        keys = arrays.texts("part_keys", None)
        times = arrays.floats("part_ms", len(keys))
        line = arrays.floats("line", 3).tolist()
        arrays.require(len(set(keys)) == len(keys), "part_keys", "different keys")
        arrays.require(bool((times > 0).all()), "part_ms", "positive")
        interpolates = "structures" in arrays.by_name
        made = cls(
            dict(zip(keys, times.tolist(), strict=True)),
            neighbours=Neighbours.from_arrays(arrays) if interpolates else None,
        )
        try:
            made.composition = Composition(*line)
        except ValueError as error:
            raise ValueError(f"{arrays.where}: field 'line': {error}") from None
        return made


def _summed(rows: NDArray[np.int64], times: Floats, n: int) -> Floats:
    """The sum of `times` in each of `n` rows."""
    return np.asarray(np.bincount(rows, weights=times, minlength=n), dtype=np.float64)
