"""Options of `hwnas search` that are wrong, named before anything is searched."""

import pytest

from tests.cli.program import hwnas

SEARCH = ("search", "--space", "nasbench201", "--maximize", "params", "--budget", 2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--run", ""), "folder is empty"),
        (("--run", "file"), "file is a file; a run is a folder"),
        (("--run", "run", "--data", "/nosuch"), "--data /nosuch: "),
    ],
)
def test_what_is_wrong_is_named(tmp_path, options, says):
    (tmp_path / "file").touch()
    told = hwnas(*SEARCH, *options, cwd=tmp_path, code=2)
    assert options[-2] in told and says in told
    assert not (tmp_path / "run").exists()
