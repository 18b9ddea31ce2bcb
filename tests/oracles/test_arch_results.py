"""NAS-Bench-201 and NATS-Bench: the same records in two kinds of files."""

import bz2
import copy
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hwnas.oracles import MetricTable, read_nasbench201, read_nats_bench
from hwnas.oracles.nats_bench import MAX_BYTES
from tests.oracles.records import FIRST, SECOND, results, write_nats

ACCURACIES = {"cifar10": {777: 80.0, 888: 90.0}, "cifar10-valid": {777: 70.0}, "cifar100": {777: 50.0}}
SHORT = {"cifar10-valid": {777: 60.0}}
FULL = {"train_accuracy", "train_loss", "macs", "params", "latency_ms", "training_time_s"}


def nats(folder: Path) -> Path:
    records = {
        index: {"12": results(text, index, 12, SHORT), "200": results(text, index, 200, ACCURACIES)}
        for index, text in enumerate([FIRST, SECOND])
    }
    return write_nats(folder / "NATS-tss-v1_0-3ffb9-simple", records, [FIRST, SECOND])


def nasbench201(folder: Path, zipped: bool = False) -> Path:
    records = {
        index: {"less": results(text, index, 12, SHORT), "full": results(text, index, 200, ACCURACIES)}
        for index, text in enumerate([FIRST, SECOND])
    }
    data = {"meta_archs": [FIRST, SECOND], "arch2infos": records, "evaluated_indexes": {0, 1}}
    path = folder / "NAS-Bench-201-v1_1-096897.pth"
    torch.save(data, path, _use_new_zipfile_serialization=zipped)
    return path


FILES = pytest.mark.parametrize(
    ("write", "read"), [(nats, read_nats_bench), (nasbench201, read_nasbench201)], ids=["nats", "nasbench201"]
)
Write = Callable[[Path], Path]
Read = Callable[..., MetricTable]


@FILES
def test_means_of_the_seeds_after_the_last_epoch(tmp_path: Path, write: Write, read: Read) -> None:
    table = read(write(tmp_path))
    assert table.architectures == (FIRST, SECOND)
    assert set(table.metrics) == FULL | {"test_accuracy", "test_loss"}
    expected = {
        "test_accuracy": 0.85,
        "test_loss": 0.15,
        "train_accuracy": 0.85,
        "macs": 7.78305e6,
        "params": 73306.0,
        "latency_ms": 12.0,
        "training_time_s": 400.0,
    }
    for name, value in expected.items():
        assert table.column(name) == pytest.approx([value, value]), name


@FILES
def test_the_sets_of_each_data_set(tmp_path: Path, write: Write, read: Read) -> None:
    path = write(tmp_path)
    valid = read(path, dataset="cifar10-valid")
    assert set(valid.metrics) - FULL == {"valid_accuracy", "valid_loss", "test_accuracy", "test_loss"}
    assert valid.column("valid_accuracy") == pytest.approx([0.7, 0.7])
    other = read(path, dataset="cifar100")
    assert {"valid_accuracy", "test_accuracy", "valtest_accuracy"} <= set(other.metrics)
    assert other.column("valtest_accuracy") == pytest.approx([0.5, 0.5])


@FILES
def test_choices(tmp_path: Path, write: Write, read: Read) -> None:
    path = write(tmp_path)
    short = read(path, dataset="cifar10-valid", epochs=12)
    assert short.column("valid_accuracy") == pytest.approx([0.6, 0.6])
    assert short.column("training_time_s") == pytest.approx([24.0, 24.0])
    with pytest.raises(
        ValueError, match="has no data set 'imagenet'; it has cifar10, cifar10-valid, cifar100"
    ):
        read(path, dataset="imagenet")
    with pytest.raises(ValueError, match="has no data set 'cifar10'; it has cifar10-valid"):
        read(path, epochs=12)
    with pytest.raises(ValueError, match="no results of 90 epochs; it has 12, 200"):
        read(path, epochs=90)


def test_a_zip_file_of_torch(tmp_path: Path) -> None:
    assert read_nasbench201(nasbench201(tmp_path, zipped=True)).column("test_accuracy")[0] == pytest.approx(
        0.85
    )


def test_an_architecture_without_the_data_set_has_no_numbers(tmp_path: Path) -> None:
    records = {0: {"200": results(FIRST, 0, 200, SHORT)}, 1: {"200": results(SECOND, 1, 200, ACCURACIES)}}
    table = read_nats_bench(write_nats(tmp_path / "nats", records, [FIRST, SECOND]))
    np.testing.assert_allclose(table.column("test_accuracy"), [np.nan, 0.85])


def test_a_folder_with_some_of_the_files(tmp_path: Path) -> None:
    texts = ["64:64:64:64:64", "8:8:8:8:8", "8:16:8:8:8"]
    records = {2: {"01": results(texts[2], 2, 1, SHORT), "90": results(texts[2], 2, 90, ACCURACIES)}}
    table = read_nats_bench(write_nats(tmp_path / "sss", records, texts))
    assert table.architectures == ("8:16:8:8:8",)
    assert table.column("training_time_s") == pytest.approx([180.0])
    with pytest.raises(ValueError, match="holds no results"):
        read_nats_bench(write_nats(tmp_path / "empty", {}, texts))


def test_what_was_not_recorded_is_nan(tmp_path: Path) -> None:
    record = {"200": results(FIRST, 0, 200, ACCURACIES)}
    for run in record["200"]["all_results"].values():
        run["latency"], run["train_times"] = [-1.0], None
    table = read_nats_bench(write_nats(tmp_path / "nats", {0: record}, [FIRST]))
    assert np.isnan(table.column("latency_ms")).all()
    assert "training_time_s" not in table.metrics


def damaged(change: Callable[[Any], None]) -> Any:
    record = copy.deepcopy({"200": results(FIRST, 0, 200, ACCURACIES)})
    change(record)
    return record


@pytest.mark.parametrize(
    "record",
    [
        [],
        {},
        {"long": {}},
        {"200": 3},
        damaged(lambda record: record["200"].pop("all_results")),
        damaged(lambda record: record["200"]["all_results"].pop(("cifar10", 777))),
        damaged(lambda record: record["200"]["all_results"]["cifar10", 777].pop("epochs")),
        damaged(lambda record: record["200"]["all_results"]["cifar10", 777].update(flop="many")),
        damaged(lambda record: record["200"]["all_results"]["cifar10", 777].update(epochs=201)),
        damaged(lambda record: record["200"]["all_results"]["cifar10", 777].update(params=10**400)),
    ],
)
def test_records_of_another_structure(tmp_path: Path, record: Any) -> None:
    with pytest.raises(ValueError, match="is none of NAS-Bench-201 or NATS-Bench") as caught:
        read_nats_bench(write_nats(tmp_path / "nats", {0: record}, [FIRST]))
    assert "\n" not in str(caught.value)


class Shell:
    def __reduce__(self) -> Any:
        return os.system, ("touch harmed",)


def test_code_in_a_record_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write_nats(tmp_path / "nats", {0: {"200": Shell()}}, [FIRST])
    with pytest.raises(ValueError, match=r"000000\.pickle\.pbz2: the pickle names posix.system"):
        read_nats_bench(folder)
    assert not (tmp_path / "harmed").exists()


def test_damaged_folders(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"meta\.pickle\.pbz2 is missing"):
        read_nats_bench(tmp_path)
    folder = nats(tmp_path)
    file = folder / "000001.pickle.pbz2"
    whole = file.read_bytes()
    for content, message in (
        (whole[: len(whole) // 2], "is cut off"),
        (b"junk", "Invalid data stream"),
        (bz2.compress(pickle.dumps(1)[:-1]), "cut off"),
    ):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=rf"000001\.pickle\.pbz2: .*{message}"):
            read_nats_bench(folder)
    (folder / "meta.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps({"meta_archs": [1]})))
    with pytest.raises(ValueError, match="no list meta_archs"):
        read_nats_bench(folder)


def test_a_bzip2_bomb_is_not_unpacked(tmp_path: Path) -> None:
    folder = nats(tmp_path)
    packer = bz2.BZ2Compressor()
    bomb = b"".join(packer.compress(bytes(1 << 24)) for _ in range(5)) + packer.flush()
    (folder / "000000.pickle.pbz2").write_bytes(bomb)
    assert len(bomb) < 1 << 10
    with pytest.raises(ValueError, match=f"unpacks to more than {MAX_BYTES} bytes"):
        read_nats_bench(folder)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([1], "meta_archs and arch2infos are missing"),
        ({"meta_archs": [FIRST]}, "meta_archs and arch2infos are missing"),
        ({"meta_archs": [FIRST], "arch2infos": {1: {}}}, "arch2infos has index 1, meta_archs 1 texts"),
        ({"meta_archs": [FIRST], "arch2infos": {"0": {}}}, "arch2infos has index '0'"),
        ({"meta_archs": [1], "arch2infos": {0: {}}}, "arch2infos has index 0"),
        ({"meta_archs": [FIRST], "arch2infos": {}}, "holds no results"),
    ],
)
def test_files_that_are_no_nasbench201(tmp_path: Path, data: Any, message: str) -> None:
    path = tmp_path / "a.pth"
    torch.save(data, path)
    with pytest.raises(ValueError, match=message):
        read_nasbench201(path)
