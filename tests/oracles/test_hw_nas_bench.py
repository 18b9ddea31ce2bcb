import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwnas.oracles import read_hw_nas_bench
from tests.oracles.records import FIRST, SECOND


def columns(**other: Any) -> dict[str, Any]:
    return {
        "config": [{"name": "infer.tiny", "C": 16, "arch_str": text} for text in (FIRST, SECOND)],
        "edgegpu_latency": [5.807418537139893, 6.0],
        "edgegpu_energy": np.array([24.226614330768584, 25.0]),
        "eyeriss_arithmetic_intensity": [np.float64(3.5), 4],
        **other,
    }


def write(folder: Path, data: Any, protocol: int = 4) -> Path:
    path = folder / "HW-NAS-Bench-v1_0.pickle"
    path.write_bytes(pickle.dumps(data, protocol))
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_latency_and_energy_with_their_units(tmp_path: Path, protocol: int) -> None:
    tables = {"cifar10": columns(), "cifar100": columns(edgegpu_latency=[7.0, 8.0])}
    path = write(tmp_path, {"nasbench201": tables, "fbnet": {"edgegpu_latency": {"Skip_H32": 0.1}}}, protocol)
    table = read_hw_nas_bench(path)
    assert table.architectures == (FIRST, SECOND)
    assert list(table.metrics) == ["edgegpu_latency_ms", "edgegpu_energy_mj", "eyeriss_arithmetic_intensity"]
    assert table.column("edgegpu_latency_ms").tolist() == [5.807418537139893, 6.0]
    assert table.column("edgegpu_energy_mj").tolist() == [24.226614330768584, 25.0]
    assert table.column("eyeriss_arithmetic_intensity").tolist() == [3.5, 4.0]
    assert read_hw_nas_bench(path, dataset="cifar100").column("edgegpu_latency_ms").tolist() == [7.0, 8.0]


def test_a_data_set_that_is_not_there(tmp_path: Path) -> None:
    path = write(tmp_path, {"nasbench201": {"cifar10": columns()}})
    with pytest.raises(ValueError, match="has no data set 'svhn'; it has cifar10"):
        read_hw_nas_bench(path, dataset="svhn")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([1], "it has no nasbench201"),
        ({"nasbench201": 1}, "it has no nasbench201"),
        ({"nasbench201": {"cifar10": {"edgegpu_latency": [1.0]}}}, "no list config"),
        ({"nasbench201": {"cifar10": columns(config=[{}])}}, "a config has no arch_str"),
        (
            {"nasbench201": {"cifar10": columns(fpga_energy=["a", 1])}},
            "column fpga_energy: a number was expected",
        ),
        ({"nasbench201": {"cifar10": columns(fpga_energy={})}}, "column fpga_energy: a list was expected"),
        ({"nasbench201": {"cifar10": columns(fpga_energy=[1.0])}}, r"has shape \(1,\) for 2 architectures"),
        ({"nasbench201": {"cifar10": columns(x=Path("a"))}}, "pathlib.* is refused"),
    ],
)
def test_files_that_are_no_hw_nas_bench(tmp_path: Path, data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read_hw_nas_bench(write(tmp_path, data))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_cut_off_or_empty(tmp_path: Path) -> None:
    path = write(tmp_path, {"nasbench201": {"cifar10": columns()}})
    whole = path.read_bytes()
    for size in (0, 1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"HW-NAS-Bench-v1_0\.pickle: "):
            read_hw_nas_bench(path)
