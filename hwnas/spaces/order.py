"""The order in which a benchmark numbers its architectures, read from a table of its own."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from hwnas.spaces.architecture import Architecture
from hwnas.spaces.space import SearchSpace


class BenchmarkOrder:
    """Which architecture of a space has which index in a benchmark."""

    def __init__(self, space: SearchSpace, rows: Iterable[Mapping[str, object]]) -> None:
        """Read `rows` with an `index` and an architecture string `arch`.

        Raises:
            ValueError: an index or an architecture occurs twice, or is none of the space.
        """
        self.space = space
        self._architectures: dict[int, Architecture] = {}
        for row in rows:
            if "index" not in row or "arch" not in row:
                raise ValueError(f"columns index and arch expected, not {', '.join(row)}")
            index = int(str(row["index"]))
            if index in self._architectures:
                raise ValueError(f"index {index} occurs twice")
            self._architectures[index] = space.parse(str(row["arch"]))
        self._indices = {architecture: index for index, architecture in self._architectures.items()}
        if len(self._indices) < len(self._architectures):
            raise ValueError("an architecture occurs under two indices")

    @classmethod
    def read(cls, space: SearchSpace, path: str | Path) -> BenchmarkOrder:
        """Read a CSV file, or a parquet file, with columns `index` and `arch`; raises as the constructor."""
        path = Path(path)
        if path.suffix == ".parquet":
            from pyarrow import parquet

            table = parquet.read_table(path, columns=["index", "arch"])
            return cls(space, table.to_pylist())
        with path.open(newline="", encoding="utf-8") as file:
            return cls(space, csv.DictReader(file))

    def architecture(self, index: int) -> Architecture:
        """The architecture with this index; raises ValueError where there is none."""
        if index not in self._architectures:
            raise ValueError(f"no architecture of space {self.space} has index {index} in this benchmark")
        return self._architectures[index]

    def index(self, architecture: Architecture) -> int:
        """The index of `architecture`; raises ValueError where it has none."""
        if architecture not in self._indices:
            raise ValueError(f"architecture {architecture} is not in this benchmark")
        return self._indices[architecture]

    def __len__(self) -> int:
        return len(self._architectures)

    def __iter__(self) -> Iterator[Architecture]:
        """The architectures by rising index."""
        return (self._architectures[index] for index in sorted(self._architectures))
