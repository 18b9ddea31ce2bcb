"""A search by pruning as the command line asks for it."""

import json
from pathlib import Path

import pytest

from hwnas.cli.differentiable_pruning import search_by_pruning
from hwnas.report.pruning import lasted, write_pruning
from hwnas.spaces import NASBench201
from tests.cli.test_cli import as_json, hwnas
from tests.differentiable.images import quadrants

SPACE = NASBench201(classes=4, resolution=8)
QUICK = {"proxies": "naswot+snip", "batch": 8, "repeats": 1, "number": 2}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return quadrants(tmp_path_factory.mktemp("data"))


def test_the_answer_is_printed_and_what_remained_is_drawn(data, tmp_path: Path, capsys) -> None:
    search_by_pruning(SPACE, tmp_path, QUICK, data, 0, json=False)
    said = capsys.readouterr().out
    record = json.loads((tmp_path / "pruning.json").read_text())
    assert f"best: {record['architecture']}" in said
    assert (
        "scored: networks of nasbench201:channels=3,cells=1,classes=4,resolution=8 by naswot and snip" in said
    )
    assert (tmp_path / "remaining.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_call_prints_the_record_that_is_there(data, tmp_path: Path, capsys) -> None:
    search_by_pruning(SPACE, tmp_path, QUICK, data, 0, json=True)
    first = json.loads(capsys.readouterr().out)
    search_by_pruning(SPACE, tmp_path, QUICK, data, 0, json=True)
    assert json.loads(capsys.readouterr().out) == first
    assert first["settings"]["number"] == 2


def test_a_choice_that_is_left_lasted_all_rounds(data, tmp_path: Path) -> None:
    from hwnas.differentiable.pruning.record import load_pruning

    search_by_pruning(SPACE, tmp_path, QUICK, data, 0, json=True)
    record = load_pruning(tmp_path)
    for group, left in record.rounds[-1].remaining.items():
        rounds = lasted(record, group)
        assert rounds[0] == 0  # `none` is no choice to begin with
        assert [choice for choice, number in enumerate(rounds) if number == len(record.rounds)] == list(left)


def test_mistakes_are_named(data, tmp_path: Path) -> None:
    for given, said in (
        ({"epochs": 3}, "epochs is no setting of it; it has proxies, batch, number, repeats"),
        ({"batch": "many"}, "batch must be a whole number"),
        ({"proxies": "ntk"}, "strategy tenas: .*ntk"),
    ):
        with pytest.raises(ValueError, match=said):
            search_by_pruning(SPACE, tmp_path, given, data, 0, json=False)
    with pytest.raises(ValueError, match="--data is missing"):
        search_by_pruning(SPACE, tmp_path, {}, None, 0, json=False)
    with pytest.raises(ValueError, match="holds no search by pruning"):
        write_pruning(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="holds a search of another kind"):
        search_by_pruning(SPACE, tmp_path, {}, data, 0, json=False)


def test_the_commands_search_resume_report_and_list(data, tmp_path: Path) -> None:
    strategy = ("--strategy", "tenas:proxies='naswot+snip',batch=8,repeats=1,number=2")
    command = ("search", "--space", str(SPACE), "--data", data, "--run", tmp_path / "run")
    found = as_json(*command, *strategy)
    assert as_json(*command, *strategy) == found == as_json("report", tmp_path / "run")
    assert f"best: {found['architecture']}" in hwnas("report", tmp_path / "run")
    assert "--budget has no effect with --strategy tenas" in hwnas(*command, *strategy, "--budget", 3, code=2)
    for other in ("gdas", "random"):
        said = hwnas(*command, "--strategy", other, code=2)
        assert "holds a search by pruning; choose another folder" in said
    assert "by pruning" in hwnas("list", "strategies")
