"""How often each distinct block of a population stands in a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwnas.latency.block_ids import block_ids, key_of
from hwnas.latency.predictors.arrays import Arrays
from hwnas.latency.predictors.packed import counts, distinct
from hwnas.network.network import Network

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BlockCounts:
    """Counts of blocks by canonical key, over a population of mean 0 and mean squared length 1.

    Blocks that the population lacks are not counted: nothing is known of them.

    Attributes:
        keys: the blocks.
        centre: `[keys]`, the mean counts.
        scale: what centred counts are divided by.
    """

    keys: tuple[str, ...]
    centre: Floats
    scale: float

    @classmethod
    def of(cls, population: Sequence[Network]) -> BlockCounts:
        """The blocks of `population`, in the order in which they are met."""
        packed = [block_ids(network) for network in population]
        numbers = dict.fromkeys(np.frombuffer(b"".join(packed), dtype="<i4").tolist())
        keys = tuple(key_of(number) for number in numbers)
        found = _counts(packed, keys)
        centre = found.mean(axis=0)
        return cls(keys, centre, root_mean_square(found - centre))

    def __call__(self, networks: Sequence[Network]) -> Floats:
        """`[n, keys]`."""
        return (_counts([block_ids(network) for network in networks], self.keys) - self.centre) / self.scale

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The fields as arrays."""
        return {
            "block_keys": np.array(self.keys, dtype="U128"),
            "block_centre": self.centre,
            "block_scale": np.array([self.scale]),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> BlockCounts:
        """What `arrays` describes; raises ValueError naming the field."""
        keys = arrays.texts("block_keys", None)
        arrays.require(len(set(keys)) == len(keys), "block_keys", "different keys")
        scale = float(arrays.floats("block_scale", 1)[0])
        arrays.require(scale > 0, "block_scale", "positive")
        return cls(tuple(keys), arrays.floats("block_centre", len(keys)), scale)


def root_mean_square(rows: Floats) -> float:
    """Root mean square length of the rows of `[n, d]`; 1 where they are all zero."""
    return float(np.sqrt((rows**2).sum(axis=1).mean())) or 1.0


def _counts(packed: Sequence[bytes], keys: Sequence[str]) -> Floats:
    # [n, keys]; numbers are those of this process, keys those of everywhere
    column_of = {key: column for column, key in enumerate(keys)}
    known = [number for number in distinct(packed).tolist() if key_of(number) in column_of]
    columns = [column_of[key_of(number)] for number in known]
    found = np.zeros((len(packed), len(keys)))
    found[:, columns] = counts(packed, np.array(known, dtype=np.int64))
    return found
