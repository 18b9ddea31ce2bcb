"""A search by gradients as a person runs it."""

import json
from pathlib import Path

import onnx
import pytest

from tests.cli.program import as_json, hwnas

SPACE = "nasbench201:channels=4,cells=1,resolution=16"
SEARCH = (
    *("search", "--space", SPACE, "--data", "digits", "--strategy", "gdas:epochs=2,guard=False,rate=0.1"),
    *("--penalty", "flops", "--target", "900k"),
)
FILES = ("report.html", "report.png", "probabilities.png", "architecture.png", "record.json", "derived.json")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("searches") / "run"
    return folder, as_json(*SEARCH, "--run", folder)


def test_the_answer_is_at_the_target_and_has_the_weights_of_the_supernet(run) -> None:
    folder, found = run
    assert found["epochs"] == 2
    assert found["targets"] == {"flops": 900_000}
    assert 0.9 * 900_000 <= found["predicted"]["flops"] <= 900_000
    assert found["satisfies"]
    assert found["onnx"] == "networks/inherited.onnx"
    onnx.checker.check_model(onnx.load(folder / found["onnx"]))
    counted = as_json("count", folder / found["onnx"])
    assert counted["flops"] == pytest.approx(found["predicted"]["flops"], rel=0.2)
    assert all((folder / name).exists() for name in FILES)


def test_the_same_command_trains_what_was_derived_and_says_so(run) -> None:
    folder, found = run
    said = hwnas(*SEARCH, "--run", folder, "--train-epochs", 1)
    assert "weights trained" in said and "measured accuracy" in said and "within the targets: yes" in said
    assert f"best: {found['architecture']}" in said
    assert "with weights of its own training" in (folder / "report.html").read_text()


def test_report_draws_it_again_interrupted_or_not(run, tmp_path: Path) -> None:
    record = json.loads((run[0] / "record.json").read_text())
    record["settings"]["epochs"] = 7
    (tmp_path / "record.json").write_text(json.dumps(record))
    said = hwnas("report", tmp_path)
    assert "wrote report.html, report.png, probabilities.png and architecture.png" in said
    assert "After 2 of 7 epochs gdas would derive" in (tmp_path / "report.html").read_text().replace(
        "\u00a0", " "
    )
    assert as_json("report", tmp_path)["architecture"] == record["architecture"]
    assert "--optuna has no effect" in hwnas("report", tmp_path, "--optuna", "sqlite:///x.db", code=2)


def test_the_answer_is_exported(run, tmp_path: Path) -> None:
    folder, found = run
    hwnas("export", "--run", folder, "--out", tmp_path / "net.onnx", "--batch", "free")
    written, answer = (as_json("count", path) for path in (tmp_path / "net.onnx", folder / found["onnx"]))
    assert written["params"] == answer["params"] and written["flops"] == answer["flops"]
    (tmp_path / "record.json").write_text((folder / "record.json").read_text())
    said = hwnas("export", "--run", tmp_path, "--out", tmp_path / "other.onnx", code=2)
    assert "has no finished network" in said


def test_another_search_in_its_folder_is_refused(run, tmp_path: Path) -> None:
    folder, _ = run
    other = ("search", "--space", SPACE, "--run")
    said = hwnas(*other, folder, "--strategy", "random", "--maximize", "params", code=2)
    assert f"--run {folder} holds a search by gradients" in said
    said = hwnas(*other, folder, "--data", "digits", "--strategy", "gdas:epochs=3", code=2)
    assert "holds a search with other settings" in said and "epochs was 2, now 3" in said
    (tmp_path / "config.json").write_text("{}")
    said = hwnas(*other, tmp_path, "--data", "digits", "--strategy", "gdas", code=2)
    assert f"--run {tmp_path} holds a search of another kind" in said
