from dataclasses import replace

import pytest

from hwnas.latency import DeviceMismatchError
from hwnas.latency.measuring.journal import NAME, Journal, Record
from hwnas.latency.tables.entry import failed_entry

from ..helpers import ENVIRONMENT, IDENTITY, SENTINELS, entry, table

A, B = "aaaaaaaa", "bbbbbbbb"


def record(*entries, sentinels=SENTINELS):
    return Record(entries, sentinels, ENVIRONMENT)


@pytest.fixture
def folder(tmp_path):
    journal = Journal(IDENTITY, tmp_path)
    journal.append(record(entry(A), failed_entry(B, "network", "b", "no", blocks=((A, 2),))))
    return tmp_path


def test_records_come_back(folder):
    journal = Journal(IDENTITY, folder)
    assert journal.entries == {A: entry(A), B: failed_entry(B, "network", "b", "no", blocks=((A, 2),))}
    assert journal.table().meta.sentinels == SENTINELS


def test_later_entries_replace_earlier_ones(folder):
    Journal(IDENTITY, folder).append(record(entry(B)))
    assert not Journal(IDENTITY, folder).entries[B].failed


def test_a_torn_last_line_is_cut_off_at_any_byte(folder):
    path = folder / NAME
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for size in {0, 1, first - 1, first, first + 1, first + 40, len(whole) - 1}:
        path.write_bytes(whole[:size])
        journal = Journal(IDENTITY, folder)
        assert journal.records == []
        journal.append(record(entry(A)))
        assert Journal(IDENTITY, folder).entries == {A: entry(A)}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "line 2: not JSON"),
        (b"[]", "line 2: an object was expected"),
        (b"{}", "line 2: field 'entries' is missing"),
        (b'{"entries": [{}], "sentinels": {}, "environment": null}', r"line 2: field 'entries'\[0\]"),
    ],
)
def test_damage_in_the_middle_is_an_error_that_names_the_line(folder, line, message):
    path = folder / NAME
    head, tail = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([head, line, tail, b""]))
    with pytest.raises(ValueError, match=message):
        Journal(IDENTITY, folder)


@pytest.mark.parametrize("field", ["p10_us", "key", "flags", "pass_ratio"])
def test_damaged_entries_are_named(folder, field):
    path = folder / NAME
    path.write_text(path.read_text().replace(f'"{field}": ', f'"{field}": -1, "x": ', 1))
    with pytest.raises(ValueError, match=r"line 2: field 'entries'\[0\]: field "):
        Journal(IDENTITY, folder)


def test_a_journal_of_another_device_is_refused(folder):
    other = replace(IDENTITY, runtime=replace(IDENTITY.runtime, version="9.9"))
    with pytest.raises(DeviceMismatchError, match=r"runtime\.version: '1\.0', not '9\.9'"):
        Journal(other, folder)


def test_a_table_without_its_journal_is_not_overwritten(tmp_path):
    table(entry(A)).save(tmp_path)
    with pytest.raises(ValueError, match="another folder"):
        Journal(IDENTITY, tmp_path)


def test_a_full_disk_names_the_folder_and_tears_nothing(folder, monkeypatch):
    before = (folder / NAME).read_bytes()
    journal = Journal(IDENTITY, folder)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match=f"cannot write into {folder}: No space left"):
            journal.append(record(entry(B)))
    assert (folder / NAME).read_bytes() == before and len(journal.records) == 1


def test_an_unwritable_place_names_it(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        Journal(IDENTITY, tmp_path / "file")


def test_nothing_measured():
    with pytest.raises(ValueError, match="nothing was measured"):
        Journal(IDENTITY).table()
