import json
import os
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from hwnas.objectives import MetricError
from hwnas.oracles import FORMATS, oracle, read_benchmark
from hwnas.oracles.direction import higher_is_better, unit
from hwnas.spaces import NASBench201
from hwnas.spaces.nasbench101 import NASBench101
from tests.oracles.records import FIRST, SECOND, results, write_nats

DATA = Path(
    os.environ.get("HWNAS_TEST_DATA") or Path(__file__).resolve().parents[2].parent / "shared" / "data"
)
SPACE = NASBench201()


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "results.csv"
    path.write_text(f"arch,accuracy,latency_ms,score,pixel3\n{FIRST},0.85,,1,3\n {SECOND},0.93,5,2,4\n")
    return path


def test_it_looks_architectures_up(csv: Path) -> None:
    accuracy = oracle(csv, "accuracy", SPACE)
    assert (accuracy.name, accuracy.unit, accuracy.higher_is_better) == ("accuracy", "fraction", True)
    assert accuracy.expensive is False
    assert accuracy(SPACE.parse(FIRST)) == 0.85
    assert accuracy(SPACE.parse(SECOND)) == 0.93, "its text in the table is not the canonical one"


def test_what_is_missing_or_empty_is_an_error(csv: Path) -> None:
    latency = oracle(csv, "latency_ms", SPACE)
    assert (latency.unit, latency.higher_is_better) == ("ms", False)
    assert latency(SPACE.parse(SECOND)) == 5.0
    with pytest.raises(MetricError, match=r"has no latency_ms for architecture \|avg_pool"):
        latency(SPACE.parse(FIRST))
    other = next(iter(SPACE))
    with pytest.raises(MetricError, match=r"has no architecture \|none~0\|"):
        latency(other)


def test_the_direction_must_be_known(csv: Path) -> None:
    with pytest.raises(
        ValueError, match="the name 'pixel3' does not tell whether more or less of it is better"
    ):
        oracle(csv, "pixel3", SPACE)
    metric = oracle(csv, "pixel3", SPACE, name="latency_ms")
    assert (metric.name, metric.unit, metric.higher_is_better) == ("latency_ms", "ms", False)
    assert metric(SPACE.parse(FIRST)) == 3.0
    assert oracle(csv, "pixel3", SPACE, higher_is_better=True).higher_is_better is True
    assert oracle(csv, "accuracy", SPACE, name="score").higher_is_better is True
    assert oracle(csv, "accuracy", SPACE, higher_is_better=False).higher_is_better is False


def test_columns_and_rows_are_checked_at_once(csv: Path) -> None:
    with pytest.raises(
        ValueError, match="has no column 'energy_mj'; it has accuracy, latency_ms, score, pixel3"
    ):
        oracle(csv, "energy_mj", SPACE)
    csv.write_text(f"arch,accuracy\n{FIRST},1\nconv,2\n")
    with pytest.raises(ValueError, match="row 2 is no architecture of space nasbench201: 'conv'"):
        oracle(csv, "accuracy", SPACE)
    csv.write_text(f"arch,accuracy\n{FIRST},1\n {FIRST},2\n")
    with pytest.raises(ValueError, match="rows 1 and 2 are the same architecture"):
        oracle(csv, "accuracy", SPACE)
    with pytest.raises(FileNotFoundError):
        oracle(csv.with_name("none.csv"), "accuracy", SPACE)


def test_it_is_small_and_comparable(csv: Path) -> None:
    metric = oracle(csv, "accuracy", SPACE)
    assert metric == oracle(csv, "accuracy", SPACE)
    assert metric != oracle(csv, "latency_ms", SPACE)
    assert hash(metric) == hash(oracle(csv, "accuracy", SPACE))
    assert len(pickle.dumps(metric)) < 1000
    assert json.loads(json.dumps(asdict(metric))) == asdict(metric), "a run notes it in its settings"
    assert pickle.loads(pickle.dumps(metric)) == metric


def test_it_answers_in_a_fresh_process(csv: Path) -> None:
    metric = oracle(csv, "accuracy", SPACE)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(metric, SPACE.parse(FIRST)).result() == 0.85


def test_a_file_that_changed_is_not_read_for_an_old_metric(csv: Path) -> None:
    old = pickle.dumps(oracle(csv, "accuracy", SPACE))
    csv.write_text(f"arch,accuracy\n{FIRST},0.5\n")
    assert oracle(csv, "accuracy", SPACE)(SPACE.parse(FIRST)) == 0.5
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        failed = pool.submit(pickle.loads(old), SPACE.parse(FIRST)).exception()
    assert isinstance(failed, ValueError)
    assert "has changed since its metric was made" in str(failed)


def test_the_same_results_are_the_same_metric_whenever_they_were_written(csv: Path) -> None:
    metric = oracle(csv, "accuracy", SPACE)
    os.utime(csv, (1, 1))
    assert oracle(csv, "accuracy", SPACE) == metric


def test_isomorphic_cells_share_their_result(tmp_path: Path) -> None:
    space = NASBench101()
    one = "conv1x1-bn-relu~0+maxpool3x3~0+output~1~2"
    same = "maxpool3x3~0+conv1x1-bn-relu~0+conv3x3-bn-relu~0+output~1~2"
    path = tmp_path / "cells.csv"
    path.write_text(f"arch,accuracy\n{one},0.9\n")
    metric = oracle(path, "accuracy", space)
    assert metric(space.parse(one)) == metric(space.parse(same)) == 0.9
    path.write_text(f"arch,accuracy\n{one},0.9\n{same},0.8\n")
    with pytest.raises(ValueError, match="rows 1 and 2 are the same architecture"):
        oracle(path, "accuracy", space)


@pytest.mark.parametrize(
    ("name", "higher"),
    [
        ("accuracy", True),
        ("cifar10_test_accuracy", True),
        ("valAcc", True),
        ("top-1", None),
        ("mIoU", True),
        ("latency_ms", False),
        ("edgegpu_energy_mj", False),
        ("test_loss", False),
        ("flops", False),
        ("params", False),
        ("peak_sram_bytes", False),
        ("accuracy_loss", None),
        ("score", None),
        ("1080ti_1", None),
    ],
)
def test_directions_by_name(name: str, higher: bool | None) -> None:
    assert higher_is_better(name) is higher


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("test_accuracy", [0.1, np.nan, 1.0], "fraction"),
        ("test_accuracy", [10.0, 93.0], ""),
        ("test_accuracy", [np.nan], ""),
        ("latency_ms", [0.5], "ms"),
        ("energy_mJ", [0.5], "mJ"),
        ("flash_bytes", [0.5], "bytes"),
        ("params", [0.5], ""),
    ],
)
def test_units_by_name(name: str, values: list[float], expected: str) -> None:
    assert unit(name, np.array(values)) == expected


def test_a_benchmark_is_recognised_and_its_choices_passed_on(tmp_path: Path, csv: Path) -> None:
    record = {
        "12": results(FIRST, 0, 12, {"cifar100": {777: 40.0}}),
        "200": results(FIRST, 0, 200, {"cifar100": {777: 50.0}}),
    }
    folder = write_nats(tmp_path / "nats", {0: record}, [FIRST])
    metric = oracle(folder, "test_accuracy", SPACE, dataset="cifar100", epochs=12)
    assert metric(SPACE.parse(FIRST)) == pytest.approx(0.4)
    assert read_benchmark(csv).column("score").tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"dataset: .* a table of one's own, which has no dataset to choose"):
        read_benchmark(csv, dataset="cifar10")


def test_what_is_no_benchmark_is_told_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("arch,accuracy\n")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(ValueError, match="is no file of recorded results") as caught:
            read_benchmark(path)
        for one in FORMATS:
            assert one.name in str(caught.value)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_benchmark(tmp_path / "none.csv")


@pytest.mark.skipif(not (DATA / "nasbench201").is_dir(), reason=f"no benchmark tables in {DATA}")
def test_all_architectures_of_nasbench201() -> None:
    accuracy = oracle(DATA / "nasbench201" / "cifar10_accuracy.csv", "test_accuracy", SPACE)
    latency = oracle(DATA / "nasbench201" / "latency_ms.parquet", "pixel3", SPACE, higher_is_better=False)
    values = {architecture: accuracy(architecture) for architecture in SPACE}
    assert len(values) == 15_625
    assert accuracy(SPACE.parse(SECOND)) == 93.66
    best = max(values, key=values.__getitem__)
    assert values[best] == pytest.approx(94.37, abs=0.01)
    assert latency(SPACE.parse(FIRST)) == pytest.approx(3.60585)


def test_an_infinite_value_is_refused_where_its_column_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "spoiled.csv"
    path.write_text(f"arch,accuracy,loss\n{FIRST},0.8,1\n{SECOND},0.9,-inf\n")
    with pytest.raises(ValueError, match=r"spoiled.csv: column loss: row 2 is -inf; it must be a finite"):
        oracle(path, "loss", SPACE)
    assert oracle(path, "accuracy", SPACE)(SPACE.parse(SECOND)) == 0.9


def test_the_error_of_a_binary_architecture_is_escaped(tmp_path: Path) -> None:
    path = tmp_path / "binary.csv"
    path.write_text("arch,accuracy\n\x1b[31mred,0.5\n")
    with pytest.raises(ValueError, match=r"row 1 is no architecture of space nasbench201") as caught:
        oracle(path, "accuracy", SPACE)
    assert str(caught.value).isprintable()
