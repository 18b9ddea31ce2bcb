"""A search by pruning as the command line asks for it."""

import json
from pathlib import Path

import onnx
import pytest

from hwnas.cli.differentiable_answer import Request
from hwnas.cli.differentiable_pruning import search_by_pruning
from hwnas.latency import QUICK as QUICK_PROTOCOL
from hwnas.latency import device
from hwnas.report.pruning import write_pruning
from hwnas.spaces import NASBench201
from tests.cli.program import as_json, hwnas
from tests.differentiable.images import quadrants

SPACE = NASBench201(classes=4, resolution=8)
QUICK = {"proxies": "naswot+snip", "batch": 8, "repeats": 1, "number": 2}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return quadrants(tmp_path_factory.mktemp("data"))


def request(folder: Path, data: str | None, **changes) -> Request:
    asked = {
        "space": SPACE,
        "folder": folder,
        "strategy": "tenas",
        "settings": QUICK,
        "data": data,
        "predictor": None,
        "device": None,
        "train_epochs": 0,
        "seed": 0,
    }
    return Request(**{**asked, **changes})


def test_the_answer_is_printed_and_its_files_are_written(data, tmp_path: Path, capsys) -> None:
    search_by_pruning(request(tmp_path, data), json=False)
    said = capsys.readouterr().out
    record = json.loads((tmp_path / "pruning.json").read_text())
    assert f"best: {record['architecture']}" in said
    assert (
        "scored: networks of nasbench201:channels=3,cells=1,classes=4,resolution=8 by naswot and snip" in said
    )
    assert "weights random (train them: --train-epochs)" in said
    onnx.checker.check_model(
        onnx.load(tmp_path / json.loads((tmp_path / "derived.json").read_text())["onnx"])
    )
    assert (tmp_path / "remaining.png").read_bytes().startswith(b"\x89PNG")
    assert "with random weights: nothing was trained" in (tmp_path / "report.html").read_text()


def test_the_same_call_gives_the_answer_that_is_there_and_may_measure_it(
    data, tmp_path: Path, capsys
) -> None:
    search_by_pruning(request(tmp_path, data), json=True)
    first = json.loads(capsys.readouterr().out)
    on = device("ort-cpu", threads=1, protocol=QUICK_PROTOCOL)
    search_by_pruning(request(tmp_path, data, device=on), json=True)
    again = json.loads(capsys.readouterr().out)
    assert again["architecture"] == first["architecture"]
    assert first["measured"] == {}
    assert again["measured"]["latency_ms"] > 0
    assert again["predicted"].keys() == {"params", "flops"}


def test_mistakes_are_named(data, tmp_path: Path) -> None:
    for given, said in (
        ({"epochs": 3}, "epochs is no setting of it; it has proxies, batch, number, repeats, device"),
        ({"device": "tpu"}, "strategy tenas: device must be cpu or cuda, not 'tpu'"),
        ({"batch": "many"}, "batch must be a whole number"),
        ({"proxies": "ntk"}, "strategy tenas: .*ntk"),
    ):
        with pytest.raises(ValueError, match=said):
            search_by_pruning(request(tmp_path, data, settings=given), json=False)
    with pytest.raises(ValueError, match="--data is missing: tenas scores networks on images"):
        search_by_pruning(request(tmp_path, None), json=False)
    with pytest.raises(ValueError, match="holds no search by pruning"):
        write_pruning(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="holds a search of another kind"):
        search_by_pruning(request(tmp_path, data), json=False)


def test_the_commands_search_resume_report_export_and_list(data, tmp_path: Path) -> None:
    strategy = ("--strategy", "tenas:proxies=naswot+snip,batch=8,repeats=1,number=2")
    run = tmp_path / "run"
    command = ("search", "--space", str(SPACE), "--data", data, "--run", run)
    found = as_json(*command, *strategy, "--train-epochs", 1)
    assert found["measured"].keys() == {"validation_accuracy", "accuracy"}
    assert as_json(*command, *strategy, "--train-epochs", 1) == found
    record = as_json("report", run)
    assert record["architecture"] == found["architecture"]
    assert record["settings"]["proxies"] == "naswot+snip"
    assert "wrote report.html, remaining.png and architecture.png" in hwnas("report", run)
    assert "random" not in hwnas("export", "--run", run, "--out", tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").read_bytes() == (run / found["onnx"]).read_bytes()
    assert "--budget has no effect with --strategy tenas" in hwnas(*command, *strategy, "--budget", 3, code=2)
    for other, kind in (("gdas", "of another kind"), ("random", "by pruning")):
        said = hwnas(*command, "--strategy", other, code=2)
        assert f"holds a search {kind}; choose another folder" in said
    assert "by pruning" in hwnas("list", "strategies")


def test_an_untrained_answer_is_exported_with_a_word(data, tmp_path: Path) -> None:
    search_by_pruning(request(tmp_path / "run", data), json=True)
    said = hwnas("export", "--run", tmp_path / "run", "--out", tmp_path / "net.onnx")
    assert "the weights are random" in said
