import io
import zipfile

import numpy as np
import pytest

from hwnas.latency.predictors import GbmPredictor, LinearPredictor, LookupPredictor
from hwnas.latency.predictors.arrays import read_arrays, write_arrays
from tests.latency.predictors.synthetic import SPACE, network_ms

NETWORKS = [architecture.network for architecture in SPACE.sample(40, seed=7)]
LATENCIES = np.array([network_ms(network) for network in NETWORKS])


def made(kind):
    if kind is LookupPredictor:
        return LookupPredictor({"aa": 1.0, "bb": 2.0})
    predictor = kind("ratio") if kind is GbmPredictor else kind()
    predictor.fit(NETWORKS, LATENCIES)
    return predictor


@pytest.mark.parametrize("kind", [LookupPredictor, LinearPredictor, GbmPredictor])
@pytest.mark.parametrize("damage", ["missing", "nan", "shape", "type"])
def test_every_field_is_checked_and_named(kind, damage, tmp_path):
    good = made(kind).arrays()
    for name, array in good.items():
        if damage == "nan" and array.dtype.kind != "f":
            continue
        bad = {
            "missing": {k: v for k, v in good.items() if k != name},
            "nan": {**good, name: array * np.nan if array.dtype.kind == "f" else array},
            "shape": {**good, name: array.reshape(1, 1, -1)},
            "type": {**good, name: np.zeros(array.shape, dtype=complex)},
        }[damage]
        write_arrays(tmp_path / "arrays.npz", bad)
        with pytest.raises(ValueError, match=rf"arrays\.npz: field '{name}'"):
            kind.load(tmp_path)


@pytest.mark.parametrize("kind, name, value", [
    (LookupPredictor, "part_ms", [1.0, 0.0]), (LookupPredictor, "part_keys", ["aa", "aa"]),
    (LookupPredictor, "line", [0.0, 0.0, 1.0]), (LookupPredictor, "line", [-2.0, 1.0, 1.0]),
    (LinearPredictor, "intercept_and_floor_ms", [1.0, 0.0]), (LinearPredictor, "seen", [False] * 15),
    (GbmPredictor, "mode", [3]),
])  # fmt: skip
def test_values_out_of_range_are_refused(kind, name, value, tmp_path):
    write_arrays(tmp_path / "arrays.npz", {**made(kind).arrays(), name: np.array(value)})
    with pytest.raises(ValueError, match=name):
        kind.load(tmp_path)


@pytest.mark.parametrize("name, value", [("tree_left", 0), ("tree_right", 1 << 40), ("tree_feature", -1),
                                         ("tree_roots", 1 << 40), ("tree_value", 1e300)])  # fmt: skip
def test_trees_with_loops_or_wild_indices_are_refused(name, value, tmp_path):
    arrays = made(GbmPredictor).arrays()
    arrays[name] = np.full_like(arrays[name], value)
    write_arrays(tmp_path / "arrays.npz", arrays)
    with pytest.raises(ValueError, match=name):
        GbmPredictor.load(tmp_path)


def test_objects_are_not_unpickled(tmp_path):
    np.savez(tmp_path / "arrays.npz", weights=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="never loaded"):
        read_arrays(tmp_path / "arrays.npz")


def test_a_shape_larger_than_the_file_is_refused(tmp_path):
    write_arrays(tmp_path / "good.npz", {"a": np.zeros(3)})
    with zipfile.ZipFile(tmp_path / "good.npz") as archive:
        content = archive.read("a.npy")
    with zipfile.ZipFile(tmp_path / "bad.npz", "w") as archive:
        archive.writestr("a.npy", content[:-8])
    with pytest.raises(ValueError, match="states shape"):
        read_arrays(tmp_path / "bad.npz")


def npy(descr, shape):
    """The bytes of a `.npy` file that holds no more than its header."""
    file = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue()


@pytest.mark.parametrize(
    ("descr", "shape", "says"),
    [
        ("<U0", (1 << 40,), "values without a size"),
        ("|S0", (1 << 40,), "values without a size"),
        ("|V0", (1 << 40,), "values without a size"),
        ("<f8", (1 << 70, 0), "states shape"),
        ("<f8", (-1, 0), "states shape"),
    ],
)
def test_no_room_is_made_for_more_than_the_file_holds(descr, shape, says, tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.npz", "w") as archive:
        archive.writestr("a.npy", npy(descr, shape))
    with pytest.raises(ValueError, match=says):
        read_arrays(tmp_path / "bad.npz")


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    write_arrays(tmp_path / "many.npz", {f"a{i}": np.zeros(1) for i in range(9)})
    assert len(read_arrays(tmp_path / "many.npz").by_name) == 9
    monkeypatch.setattr("hwnas.latency.predictors.arrays.MAX_ARRAYS", 8)
    with pytest.raises(ValueError, match="its 9 arrays are more than 8"):
        read_arrays(tmp_path / "many.npz")


def test_an_unusual_compression_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.npy", npy("<f8", (0,)))
    with pytest.raises(ValueError, match=r"a\.npy has compression 14"):
        read_arrays(tmp_path / "bad.npz")


def test_random_bytes_are_refused(tmp_path):
    (tmp_path / "arrays.npz").write_bytes(b"PK\x03\x04" + bytes(range(256)))
    with pytest.raises(ValueError, match="not a readable"):
        read_arrays(tmp_path / "arrays.npz")
