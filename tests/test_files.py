import os
from pathlib import Path

import pytest

from hwnas.files import read_file, write_together, write_whole


def test_the_last_name_is_given_last_and_nothing_else_is_left(tmp_path, monkeypatch):
    given = []
    rename = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (given.append(Path(b).name), rename(a, b)))
    write_together(tmp_path, {"z": b"1", "a": b"2"})
    assert given == ["z", "a"] and sorted(path.name for path in tmp_path.iterdir()) == ["a", "z"]


def test_a_file_is_on_the_disk_before_its_name_and_the_name_at_the_end(tmp_path, monkeypatch):
    synced = []
    sync = os.fsync

    def watched(descriptor):
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink(), (tmp_path / "a").exists()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    write_whole(tmp_path / "a", "ü")
    (draft, before), (folder, after) = synced
    assert draft.parent.name.startswith(".saving-") and not before
    assert folder == tmp_path and after
    assert (tmp_path / "a").read_bytes() == "ü".encode()


def test_a_full_disk_leaves_all_files_as_they_were(tmp_path, monkeypatch):
    write_together(tmp_path, {"a": b"old", "b": b"old"})

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_together(tmp_path, {"a": b"new", "b": b"new", "c": b"new"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"old", "b": b"old"}


def test_plain_files_of_bounded_size_are_read(tmp_path):
    path = tmp_path / "a"
    with pytest.raises(FileNotFoundError):
        read_file(path, 3)
    path.write_bytes(b"123")
    assert read_file(path, 3) == b"123"
    with pytest.raises(ValueError, match="a: 3 bytes are more than the 2"):
        read_file(path, 2)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(ValueError, match="link is a link"):
        read_file(tmp_path / "link", 3)
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(ValueError, match="is no plain file"):
            read_file(tmp_path / name, 3)


def test_the_file_that_is_asked_for_is_named_and_not_a_draft(tmp_path, monkeypatch):
    for missing in (tmp_path / "no" / "a", Path("/proc/self/a")):
        with pytest.raises(OSError) as one:
            write_whole(missing, b"1")
        assert one.value.filename == str(missing) and one.value.filename2 is None
    with pytest.raises(OSError) as several:
        write_together(tmp_path / "no", {"a": b"1", "b": b"2"})
    assert several.value.filename == str(tmp_path / "no")
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError) as renamed:
        write_whole(tmp_path / "taken", b"1")
    assert ".saving-" not in str(renamed.value) and str(tmp_path / "taken") in str(renamed.value)
