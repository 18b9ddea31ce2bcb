"""Any file of recorded results, recognised by its name: one's own tables and published benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hwnas.oracles.hw_nas_bench import read_hw_nas_bench
from hwnas.oracles.nasbench101_json import read_nasbench101_json
from hwnas.oracles.nasbench101_tfrecord import read_nasbench101
from hwnas.oracles.nasbench201_file import read_nasbench201
from hwnas.oracles.nats_bench import META, read_nats_bench
from hwnas.oracles.table import MetricTable, read_table


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes:
        name: what people call it.
        suffixes: how its files end; none where it is a folder.
        read: gives the table.
        choices: which of `dataset` and `epochs` it lets one choose.
    """

    name: str
    suffixes: tuple[str, ...]
    read: Callable[..., MetricTable]
    choices: tuple[str, ...] = ()


FORMATS = (
    Format("a table of one's own", (".csv", ".parquet"), read_table),
    Format("NATS-Bench, the folder ...-simple", (), read_nats_bench, ("dataset", "epochs")),
    Format("NAS-Bench-201", (".pth",), read_nasbench201, ("dataset", "epochs")),
    Format("NAS-Bench-101", (".tfrecord",), read_nasbench101, ("epochs",)),
    Format("NAS-Bench-101 as JSON", (".json",), read_nasbench101_json),
    Format("HW-NAS-Bench", (".pickle", ".pkl"), read_hw_nas_bench, ("dataset",)),
)


def read_benchmark(path: Path | str, *, dataset: str | None = None, epochs: int | None = None) -> MetricTable:
    """The recorded results in a file or folder of any of `FORMATS`.

    Args:
        path: the file or folder.
        dataset: the data set of the results, where the format has several; its own default where None.
        epochs: the training budget, likewise.

    Raises:
        FileNotFoundError: there is nothing at `path`.
        ValueError: no known format, a choice that it does not have, or as its reader.
    """
    path = Path(path)
    found = format_of(path)
    given = {"dataset": dataset, "epochs": epochs}
    chosen = {name: value for name, value in given.items() if value is not None}
    for name in chosen:
        if name not in found.choices:
            raise ValueError(f"{name}: {path} is {found.name}, which has no {name} to choose; leave it out")
    return found.read(path, **chosen)


def format_of(path: Path) -> Format:
    """The format of what is at `path`; raises ValueError listing those that are known."""
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    for one in FORMATS:
        if (path / META).is_file() if not one.suffixes else path.is_file() and path.suffix in one.suffixes:
            return one
    known = "; ".join(f"{one.name} ({', '.join(one.suffixes) or f'with {META}'})" for one in FORMATS)
    raise ValueError(f"{path} is no file of recorded results. Known: {known}")
