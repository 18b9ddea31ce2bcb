"""HW-NAS-Bench (Li et al., ICLR 2021), `HW-NAS-Bench-v1_0.pickle`: latency and energy on six devices.

A dictionary `nasbench201` -> data set -> column -> list with a value for each of the 15,625 architectures;
the column `config` holds dictionaries with `arch_str`. Its part `fbnet` prices operators, not architectures.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwnas.oracles.message import shortened
from hwnas.oracles.numbers import number
from hwnas.oracles.pickled_names import NAMES, Array
from hwnas.oracles.safe_pickle import loads
from hwnas.oracles.table import MetricTable

_UNITS = {"latency": "latency_ms", "energy": "energy_mj"}


def read_hw_nas_bench(path: Path | str, *, dataset: str = "cifar10") -> MetricTable:
    """The architectures of NAS-Bench-201 with columns such as `edgegpu_latency_ms` and `fpga_energy_mj`.

    Args:
        path: the file.
        dataset: `cifar10`, `cifar100` or `ImageNet16-120`.

    Raises:
        ValueError: the file is none of HW-NAS-Bench or damaged, it names more than plain data, or it has no
            such data set.
    """
    path = Path(path)
    data = _loaded(path)
    tables = data.get("nasbench201") if isinstance(data, dict) else None
    if not isinstance(tables, dict):
        raise ValueError(f"{path} is no HW-NAS-Bench: it has no nasbench201")
    columns = tables.get(dataset)
    if not isinstance(columns, dict):
        raise ValueError(
            f"{path} has no data set {dataset!r}; it has {shortened(', '.join(map(str, tables)))}"
        )
    metrics = {
        _name(name): _values(values, f"{path}: column {name}")
        for name, values in columns.items()
        if name != "config"
    }
    return MetricTable(_architectures(columns.get("config"), path), metrics, str(path))


def _loaded(path: Path) -> Any:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return loads(data, NAMES)[0]
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _architectures(configs: Any, path: Path) -> tuple[str, ...]:
    if not isinstance(configs, list):
        raise ValueError(f"{path} has no list config of architectures")
    texts = [config.get("arch_str") if isinstance(config, dict) else None for config in configs]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{path}: a config has no arch_str")
    return tuple(map(str, texts))


def _name(column: Any) -> str:
    device, _, quantity = str(column).rpartition("_")
    return f"{device}_{_UNITS[quantity]}" if quantity in _UNITS else str(column)


def _values(values: Any, where: str) -> NDArray[np.float64]:
    try:
        plain = values.values().tolist() if isinstance(values, Array) else values
        if not isinstance(plain, list):
            raise ValueError(f"a list was expected, not a {type(plain).__name__}")
        numbers = np.array([number(value) for value in plain], dtype=np.float64)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    numbers.flags.writeable = False
    return numbers
