"""Journals are plain files."""

import os

import pytest

from hwnas.json_lines import JsonLines


def test_a_pipe_is_no_journal(tmp_path):
    os.mkfifo(tmp_path / "journal.jsonl")
    with pytest.raises(ValueError, match="no plain file"):
        JsonLines(tmp_path / "journal.jsonl").read()
