import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hwnas.differentiable.checkpoint import differences, open_checkpoint, write_checkpoint

TENSORS = {"state/a.weight": torch.arange(6.0).reshape(2, 3), "state/a.steps": torch.tensor(7)}
DOCUMENT = {"of": {"space": "toy", "epochs": 3}, "losses": [0.1, 1 / 3]}


def written(folder):
    path = folder / "supernet.npz"
    write_checkpoint(path, TENSORS, DOCUMENT)
    return path


def test_what_was_written_is_read(tmp_path):
    with open_checkpoint(written(tmp_path)) as kept:
        assert kept.document == DOCUMENT
        assert kept.names == set(TENSORS)
        for name, tensor in TENSORS.items():
            found = torch.zeros_like(tensor)
            kept.read_into(name, found)
            assert torch.equal(found, tensor)


def test_none_is_not_found(tmp_path):
    with pytest.raises(FileNotFoundError), open_checkpoint(tmp_path / "supernet.npz"):
        pass


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("state/a.weight", torch.zeros(3, 2)),
        ("state/a.weight", torch.zeros(2, 3, dtype=torch.float64)),
        ("state/b.weight", torch.zeros(2, 3)),
    ],
    ids=["shape", "type", "name"],
)
def test_another_tensor_is_refused(name, like, tmp_path):
    with (
        pytest.raises(ValueError, match=r"supernet.npz is damaged, or no checkpoint of this training"),
        open_checkpoint(written(tmp_path)) as kept,
    ):
        kept.read_into(name, like)


@given(st.integers(0, 2**31), st.integers(0, 255))
def test_a_damaged_file_is_said_or_reads_as_it_was(tmp_path_factory, place, byte):
    path = written(tmp_path_factory.mktemp("damaged"))
    content = bytearray(path.read_bytes())
    content[place % len(content)] = byte
    path.write_bytes(content)
    found = torch.zeros(2, 3)
    try:
        with open_checkpoint(path) as kept:
            kept.read_into("state/a.weight", found)
    except ValueError as error:
        assert "damaged" in str(error)
    else:
        assert torch.equal(found, TENSORS["state/a.weight"])


def test_a_file_cut_off_is_damaged(tmp_path):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match="the training begins anew"), open_checkpoint(path):
        pass


def test_objects_are_not_unpickled(tmp_path):
    path = tmp_path / "supernet.npz"
    np.savez(path, document=np.array([print], dtype=object))
    with pytest.raises(ValueError, match="damaged"), open_checkpoint(path):
        pass


def test_a_document_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "supernet.npz"
    np.savez_compressed(path, document=np.zeros(17 << 20, dtype=np.uint8))
    with pytest.raises(ValueError, match="document is uint8 of"), open_checkpoint(path):
        pass


def test_a_document_is_by_name(tmp_path):
    path = tmp_path / "supernet.npz"
    np.savez(path, document=np.frombuffer(b"[1]", dtype=np.uint8))
    with pytest.raises(ValueError, match=r"document is \[1\]"), open_checkpoint(path):
        pass


def test_differences_are_named_by_their_path():
    now = {"of": {"space": "toy", "epochs": 4, "lr": 0.1}, "losses": [0.1, 1 / 3]}
    assert differences(DOCUMENT, now) == ["of.epochs was 3, now 4", "of.lr was None, now 0.1"]
