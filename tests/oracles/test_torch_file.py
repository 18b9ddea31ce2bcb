import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from hwnas.oracles.pickled_names import Inert
from hwnas.oracles.torch_file import load_torch

FORMATS = pytest.mark.parametrize("zipped", [True, False])


class Shell:
    def __reduce__(self) -> Any:
        return os.system, ("touch harmed",)


def save(data: Any, path: Path, zipped: bool) -> Path:
    torch.save(data, path, _use_new_zipfile_serialization=zipped)
    return path


@FORMATS
def test_numbers_and_texts_are_read(tmp_path: Path, zipped: bool) -> None:
    data = {("cifar10", 777): OrderedDict({0: 1.5, 1: np.float64(2.5)}), "names": ["a", "b"], "seeds": {1, 2}}
    assert load_torch(save(data, tmp_path / "a.pth", zipped)) == data


@FORMATS
def test_tensors_are_stand_ins(tmp_path: Path, zipped: bool) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    data = {
        "state": module.state_dict(),
        "weight": module[0].weight,
        "half": torch.ones(2).half(),
        "loss": 0.5,
    }
    read = load_torch(save(data, tmp_path / "a.pth", zipped))
    assert read["loss"] == 0.5
    assert list(read["state"]) == list(module.state_dict())
    assert isinstance(read["weight"], Inert)
    assert isinstance(read["state"]["1.running_mean"], Inert)


@FORMATS
def test_code_is_refused(tmp_path: Path, zipped: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = save({"a": Shell()}, tmp_path / "a.pth", zipped)
    with pytest.raises(ValueError, match=r"a\.pth: the pickle names posix.system, which is refused"):
        load_torch(path)
    with pytest.raises(ValueError, match="is refused"):
        load_torch(save(torch.nn.Linear(1, 1), tmp_path / "module.pth", zipped))
    assert not (tmp_path / "harmed").exists()


@FORMATS
def test_a_file_that_is_cut_off(tmp_path: Path, zipped: bool) -> None:
    path = save({"a": list(range(1000))}, tmp_path / "a.pth", zipped)
    whole = path.read_bytes()
    for size in (0, 3, 40, len(whole) // 2):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"a\.pth"):
            load_torch(path)


def zipped(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = b"\x80\x02B" + (1 << 26).to_bytes(4, "little") + bytes(1 << 26) + b"."
    path = zipped(tmp_path / "a.pth", {"archive/data.pkl": bomb}, zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ValueError, match=r"data\.pkl is compressed"):
        load_torch(path)


def test_a_compressed_pickle_is_not_torchs(tmp_path: Path) -> None:
    members = {"archive/data.pkl": pickle.dumps({"a": 1}, 2), "archive/data/0": os.urandom(100)}
    with pytest.raises(ValueError, match=r"data\.pkl is compressed"):
        load_torch(zipped(tmp_path / "a.pth", members, zipfile.ZIP_DEFLATED))
    assert load_torch(zipped(tmp_path / "b.pth", members)) == {"a": 1}


def test_a_size_that_the_file_does_not_have(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.pth", {"archive/data.pkl": pickle.dumps({"a": 1}, 2)})
    content = path.read_bytes()
    entry = content.index(b"PK\x01\x02")  # compressed and whole size are at 20 and 24 of it
    path.write_bytes(content[: entry + 20] + b"\xff\xff\xff\x7f" * 2 + content[entry + 28 :])
    with pytest.raises(ValueError, match=r"a\.pth"):
        load_torch(path)


def test_other_zip_files_and_pickles(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="this zip file has 0"):
        load_torch(zipped(tmp_path / "a.pth", {"other.txt": b""}))
    two = {"a/data.pkl": pickle.dumps(1, 2), "b/data.pkl": pickle.dumps(2, 2)}
    with pytest.raises(ValueError, match="this zip file has 2"):
        load_torch(zipped(tmp_path / "b.pth", two))
    (tmp_path / "c.pth").write_bytes(pickle.dumps({"a": 1}, 2))
    with pytest.raises(ValueError, match="magic number is missing"):
        load_torch(tmp_path / "c.pth")
