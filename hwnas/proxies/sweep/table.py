"""The scores of architectures as a table, in memory and as CSV or parquet."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from hwnas.files import write_whole
from hwnas.proxies.sweep.settings import SweepSettings
from hwnas.proxies.sweep.work import Score


@dataclass(frozen=True)
class ScoreTable:
    """One row for each architecture.

    Attributes:
        settings: what decided the scores.
        architectures: the architectures' texts.
        keys: of their untrained forms: equal keys, equal scores (but for counts of dead layers).
        scores: for each proxy, one score for each architecture.
    """

    settings: SweepSettings
    architectures: tuple[str, ...]
    keys: tuple[str, ...]
    scores: Mapping[str, tuple[Score, ...]]

    def save(self, path: Path) -> None:
        """Write `.parquet` (with the settings in its metadata) or `.csv`.

        Columns: `architecture`, `key`, and for each proxy its value (NaN or infinite where undefined), as
        `<proxy>_reason` why it is undefined, and as `<proxy>_note`, where there is one, what its reader must
        know.

        Raises:
            ValueError: another ending.
            OSError: the file cannot be written.
        """
        content = io.BytesIO()
        if path.suffix == ".parquet":
            pq.write_table(self._arrow(), content)
        elif path.suffix == ".csv":
            pyarrow.csv.write_csv(self._arrow(), content)
        else:
            raise ValueError(f"{path} must end in .parquet or .csv")
        write_whole(path, content.getvalue())

    def _arrow(self) -> pa.Table:
        columns: dict[str, pa.Array] = {
            "architecture": pa.array(self.architectures),
            "key": pa.array(self.keys),
        }
        for name, scores in self.scores.items():
            columns[name] = pa.array([score.value for score in scores], pa.float64())
            columns[f"{name}_reason"] = pa.array([score.reason or "" for score in scores])
            if any(score.note for score in scores):
                columns[f"{name}_note"] = pa.array([score.note or "" for score in scores])
        metadata = {"hwnas_sweep": json.dumps(asdict(self.settings))}
        return pa.table(columns).replace_schema_metadata(metadata)
