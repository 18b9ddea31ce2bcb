"""Sum of the measured blocks, corrected by a line that measured whole networks give.

An isolated block pays for a session and for laying out its input and output, which within a network it
does not; so plain sums are biased and well ranked. The line a + b·sum, fitted on as few as five whole
networks, takes the bias away. Summed tables: FBNet (Wu et al., CVPR 2019, section 3.2), ProxylessNAS
(Cai et al., ICLR 2019, section 3.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.predictors.arrays import Arrays
from hwnas.latency.predictors.base import Floats, Predictor, check_latencies, register
from hwnas.latency.predictors.block_ids import block_ids, description_of, key_of
from hwnas.network.network import Network

_NAMED = 5


class MissingBlockError(LookupError, ValueError):
    """The table lacks blocks of a network; the message says how many, and describes some."""


@register
class LookupPredictor(Predictor):
    """Latency = a + b · (sum of the latencies of the network's blocks).

    Without whole networks (`fit([], [])`, or no `fit`) it is the plain sum. Below the smallest sum that
    it was fitted on a negative `a` would lead to zero; there the line goes straight to the origin.

    Args:
        block_ms: latency in milliseconds of each block, by canonical key.

    Raises:
        ValueError: a latency is not positive and finite; the message names the block.
    """

    kind: ClassVar[str] = "lookup"
    fewest: ClassVar[int] = 2

    def __init__(self, block_ms: Mapping[str, float]) -> None:
        keys = list(block_ms)
        times = np.array([block_ms[key] for key in keys], dtype=np.float64)
        check_latencies(times, lambda i: f"block {keys[i]}", n=len(keys), fewest=0, kind=self.kind)
        self.block_ms = dict(zip(keys, times.tolist(), strict=True))
        self.offset_ms, self.slope, self.smallest_sum_ms = 0.0, 1.0, 0.0

    def fit(self, networks: Sequence[Network], latency_ms: Floats) -> None:
        """Fit the line by least squares on relative errors; as `Predictor.fit`, no networks: the plain sum.

        Raises:
            MissingBlockError: the table lacks blocks of the networks.
        """
        self.fit_sums(self.sums(networks), latency_ms)

    def fit_sums(self, sums_ms: Floats, latency_ms: Floats) -> None:
        """Fit the line on the sums of the networks' blocks, `[n]`, instead of the networks."""
        n = len(sums_ms)
        measured = check_latencies(latency_ms, lambda i: f"network {i}", n=n, fewest=0, kind=self.kind)
        if n == 0:
            self.offset_ms, self.slope, self.smallest_sum_ms = 0.0, 1.0, 0.0
            return
        check_latencies(latency_ms, str, n=n, fewest=self.fewest, kind=self.kind)
        offset, slope = _line(sums_ms, measured)
        smallest = float(sums_ms.min())
        if slope <= 0 or offset + slope * smallest <= 0:
            raise ValueError(
                "the networks' latencies do not grow with the sum of their blocks' "
                f"({offset:.4g} ms + {slope:.4g} · sum): not of one device, or too noisy"
            )
        self.offset_ms, self.slope, self.smallest_sum_ms = offset, slope, smallest

    def predict(self, networks: Sequence[Network]) -> Floats:
        """Latencies in milliseconds, `[n]`.

        Raises:
            MissingBlockError: the table lacks blocks of the networks.
        """
        return self.predict_sums(self.sums(networks))

    def predict_sums(self, sums_ms: Floats) -> Floats:
        """Latencies in milliseconds of networks whose blocks sum to `sums_ms`; both `[n]`."""
        line: Floats = self.offset_ms + self.slope * sums_ms
        if self.offset_ms >= 0:
            return line
        at_smallest = self.offset_ms + self.slope * self.smallest_sum_ms
        straight: Floats = sums_ms * (at_smallest / self.smallest_sum_ms)
        return np.where(sums_ms < self.smallest_sum_ms, straight, line)

    def sums(self, networks: Sequence[Network]) -> Floats:
        """The sums of the networks' blocks in milliseconds, `[n]`; raises `MissingBlockError`."""
        packed = [block_ids(network) for network in networks]
        ids = np.frombuffer(b"".join(packed), dtype="<i4")
        rows = np.repeat(np.arange(len(packed)), [len(part) // 4 for part in packed])
        found = np.bincount(rows, weights=self._times(ids)[ids], minlength=len(packed))
        return np.asarray(found, dtype=np.float64)

    def _times(self, ids: NDArray[np.int32]) -> Floats:
        """Latencies in milliseconds by block number, for the numbers among `ids`."""
        used = np.flatnonzero(np.bincount(ids)).tolist()
        times = np.zeros(max(used, default=-1) + 1)
        missing = []
        for number in used:
            time = self.block_ms.get(key_of(number))
            if time is None:
                missing.append(number)
            else:
                times[number] = time
        if missing:
            raise MissingBlockError(_missing_message(missing, len(used)))
        return times

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Keys and latencies of the blocks, and the line."""
        return {
            "block_keys": np.array(list(self.block_ms), dtype="U128"),
            "block_ms": np.array(list(self.block_ms.values()), dtype=np.float64),
            "line": np.array([self.offset_ms, self.slope, self.smallest_sum_ms]),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> LookupPredictor:
        """As `Predictor.from_arrays`."""
        keys = arrays.texts("block_keys", None)
        times = arrays.floats("block_ms", len(keys))
        line = arrays.floats("line", 3)
        arrays.require(len(set(keys)) == len(keys), "block_keys", "different keys")
        arrays.require(bool((times > 0).all()), "block_ms", "positive")
        arrays.require(
            line[1] > 0 and line[2] >= 0, "line", "an offset, a positive slope, a sum of at least 0"
        )
        at_smallest = line[0] + line[1] * line[2]
        arrays.require(line[0] >= 0 or at_smallest > 0, "line", "positive at the smallest sum")
        made = cls(dict(zip(keys, times.tolist(), strict=True)))
        made.offset_ms, made.slope, made.smallest_sum_ms = (float(number) for number in line)
        return made


def _line(sums: Floats, measured: Floats) -> tuple[float, float]:
    """a, b that minimise Σ ((a + b·sum) / measured - 1)²; with sums all alike a is 0."""
    columns = np.stack([1 / measured, sums / measured], axis=1)
    if np.ptp(sums) <= 1e-9 * float(sums.max()):
        ratio = columns[:, 1]
        return 0.0, float(ratio.sum() / (ratio @ ratio))
    solution = np.linalg.lstsq(columns, np.ones(len(sums)), rcond=None)[0]
    return float(solution[0]), float(solution[1])


def _missing_message(missing: list[int], used: int) -> str:
    named = "; ".join(description_of(number) for number in missing[:_NAMED])
    more = f"; and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    return f"the table lacks {len(missing)} of {used} distinct blocks: {named}{more}; measure them too"
