"""A space of one's own, in a module of the current folder, where a command reads a run."""

import pytest

from tests.cli.program import hwnas

MODULE = """
from hwnas.spaces import MobileNetV2

class Mine(MobileNetV2):
    def __init__(self, width: float = 0.25):
        super().__init__(resolution=16, classes=10, width=width, depths=(-1,), kernels=(3,))

    def settings(self):
        return {"width": self.width}
"""
SPACE = "my_spaces:Mine:width=0.3"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The module, and a run in its space."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "my_spaces.py").write_text(MODULE)
    hwnas(
        "search", "--space", SPACE, "--maximize", "params", "--strategy", "random", "--budget", 2,
        "--candidates", 1, "--run", "run", cwd=folder,
    )  # fmt: skip
    return folder


def test_its_run_is_exported(folder):
    hwnas("export", "--run", "run", "--space", SPACE, "--out", "net.onnx", cwd=folder)
    assert (folder / "net.onnx").read_bytes() == next(
        (folder / "run" / "networks").glob("*.onnx")
    ).read_bytes()


def test_its_run_is_an_optuna_study(folder):
    pytest.importorskip("optuna", reason="optuna is not installed")
    told = hwnas("report", "run", "--optuna", "sqlite:///study.db", "--space", SPACE, cwd=folder)
    assert "study run in sqlite:///study.db has 2 trials" in told


@pytest.mark.parametrize(
    "command", [("export", "--run", "run", "--out", "x.onnx"), ("report", "run", "--optuna", "x")]
)
def test_no_module_is_imported_that_only_a_run_names(folder, command):
    told = hwnas(*command, cwd=folder, code=2)
    assert f"the space '{SPACE}' is not one of hwnas's own: name it (--space, or space=)" in told
    told = hwnas(*command, "--space", "my_spaces:Mine", cwd=folder, code=2)
    assert f"--space my_spaces:Mine: the run is of {SPACE}" in told


@pytest.mark.parametrize(
    ("run", "says"), [("", "folder is empty"), ("my_spaces.py", "my_spaces.py is a file")]
)
def test_what_is_no_folder_of_a_run(folder, run, says):
    told = hwnas("export", "--run", run, "--out", "x.onnx", cwd=folder, code=2)
    assert "--run" in told and says in told
    assert says in hwnas("report", run, cwd=folder, code=2)
