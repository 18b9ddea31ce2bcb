"""The file of NAS-Bench-201, `NAS-Bench-201-v1_1-096897.pth` or `-v1_0-e61699.pth`.

A dictionary with the architectures' texts in `meta_archs` and, by position, what is recorded of each in
`arch2infos`.
"""

from __future__ import annotations

from pathlib import Path

from hwnas.oracles.arch_results import results_table
from hwnas.oracles.table import MetricTable
from hwnas.oracles.torch_file import load_torch


def read_nasbench201(path: Path | str, *, dataset: str = "cifar10", epochs: int | None = None) -> MetricTable:
    """The recorded architectures with their results; see `results_table` for the columns.

    The published file takes several times its 5 GB of memory while it is read.

    Args:
        path: the file.
        dataset: `cifar10`, `cifar10-valid`, `cifar100` or `ImageNet16-120`.
        epochs: 12 or 200; 200 where None.

    Raises:
        ValueError: the file is none of NAS-Bench-201 or damaged, it names more than plain data, or there are
            no results of that data set or budget.
    """
    data = load_torch(Path(path))
    texts = data.get("meta_archs") if isinstance(data, dict) else None
    records = data.get("arch2infos") if isinstance(data, dict) else None
    if not isinstance(texts, list) or not isinstance(records, dict):
        raise ValueError(f"{path} is no NAS-Bench-201: meta_archs and arch2infos are missing")
    for index in records:
        if not (isinstance(index, int) and 0 <= index < len(texts) and isinstance(texts[index], str)):
            raise ValueError(f"{path}: arch2infos has index {index!r}, meta_archs {len(texts)} texts")
    rows = ((texts[index], records[index]) for index in sorted(records))
    return results_table(rows, dataset=dataset, epochs=epochs, source=str(path))
