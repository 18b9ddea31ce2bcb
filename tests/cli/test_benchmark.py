"""`hwnas benchmark` and `hwnas report --optuna` as a person runs them."""

import csv
import itertools

import pytest
from typer.testing import CliRunner

from hwnas.cli.main import app, stopped
from hwnas.search.comparison import SearchJournal

from .program import as_json, hwnas

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Made-up results of all cells of NAS-Bench-201."""
    place = tmp_path_factory.mktemp("benchmark")
    lines = ["architecture,accuracy,latency,ninth,third"]
    scores = ["architecture,synflow,mine"]
    for choice in itertools.product(range(5), repeat=6):
        a, b, c, d, e, f = (OPERATIONS[i] for i in choice)
        text = f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"
        value = sum((i == 3) + 0.4 * (i == 2) for i in choice) / 8
        lines.append(f"{text},{value},{1 + sum(choice)},{value / 2},{value * 0.8}")
        scores.append(f"{text},{value + 0.01 * choice[0] if choice[1] else ''},{choice[2]}")
    (place / "all.csv").write_text("\n".join(lines) + "\n")
    (place / "scores.csv").write_text("\n".join(scores) + "\n")
    (place / "short.csv").write_text("\n".join(lines[:-1]) + "\n")
    with (place / "one.csv").open("w") as file:
        csv.writer(file).writerows(line.split(",")[:2] for line in lines)
    return place


ORACLES = ("--space", "nasbench201", "--oracle", "accuracy=all.csv:accuracy")
SMALL = ("--repeats", 4, "--queries", 15)


def test_a_budget_in_simulated_seconds(folder, tmp_path):
    given = (
        "benchmark",
        *ORACLES,
        "--oracle",
        "seconds=all.csv:latency",
        "--strategies",
        "random,local_search",
    )
    found = as_json(*given, "--seconds", 60, "--repeats", 4, "--out", tmp_path, cwd=folder)
    assert found["budget_seconds"] == 60
    assert found["queries"] == 22  # 1 s, 6 of 2 s, and 15 of 3 s in part of the 21
    for one in found["strategies"].values():
        assert list(one["within_seconds"]) == ["6", "15", "30", "60"]
        assert 1 <= one["trained"] < 22
        last = one["within_seconds"]["60"]
        assert last["lower_quartile"] <= last["median"] <= last["upper_quartile"]
    said = hwnas(*given, "--seconds", 60, "--repeats", 4, cwd=folder)
    assert "in 60 s" in said and "60 simulated seconds" in said
    said = hwnas("benchmark", *ORACLES, "--seconds", 60, cwd=folder, code=2)
    assert "add --oracle seconds=FILE:COLUMN" in said
    assert "--seconds must be above 0" in hwnas(*given, "--seconds", 0, cwd=folder, code=2)


def test_a_comparison_under_a_bound_with_proxies_and_files(folder, tmp_path):
    out = tmp_path / "new" / "out"
    found = as_json(
        "benchmark", *ORACLES, "--oracle", "latency_ms=all.csv:latency", "--subject-to", "latency_ms <= 15ms",
        "--strategies", "random,evolution:population=5,tournament=3,area,nsga2", "--proxies", "scores.csv",
        *SMALL, "--jobs", 2, "--out", out, cwd=folder,
    )  # fmt: skip
    assert found["maximize"] == "accuracy" and found["constraints"] == {"latency_ms": 15}
    assert (found["architectures"], found["repeats"], found["queries"]) == (15_625, 4, 15)
    evolution = "evolution:population=5,tournament=3"
    assert list(found["strategies"]) == [
        "random",
        evolution,
        f"{evolution} + synflow",
        f"{evolution} + mine",
        "area + synflow",
        "area + mine",
        "nsga2",
    ]
    assert list(found["left_out"]) == ["area"]
    assert all(one["at"]["15"]["regret"] >= 0 for one in found["strategies"].values())
    assert found["strategies"]["area + synflow"]["mean"] > found["strategies"]["random"]["mean"]
    assert sorted(path.name for path in out.iterdir()) == [
        "comparison.csv",
        "comparison.html",
        "comparison.json",
        "comparison.png",
    ]


def test_a_comparison_that_was_stopped_goes_on(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    given = ["benchmark", *ORACLES, "--strategies", "random,local_search", *map(str, SMALL)]
    added = []
    add = SearchJournal.add

    def stopped_at_the_fourth(self, *searches):
        if len(added) == 3:
            raise KeyboardInterrupt
        added.append(searches)
        add(self, *searches)

    monkeypatch.setattr(SearchJournal, "add", stopped_at_the_fourth)
    assert CliRunner().invoke(app, [*given, "--out", str(tmp_path / "out")]).exit_code == 130
    assert len((tmp_path / "out" / "searches.journal").read_text().splitlines()) == 3
    added.clear()
    monkeypatch.setattr(
        SearchJournal, "add", lambda self, *searches: (added.append(searches), add(self, *searches))
    )
    assert CliRunner().invoke(app, [*given, "--out", str(tmp_path / "out")]).exit_code == 0
    again = CliRunner().invoke(app, [*given, "--out", str(tmp_path / "out")])
    assert "holds a comparison already" in str(again.exception)
    assert len(added) == 5
    assert CliRunner().invoke(app, [*given, "--out", str(tmp_path / "whole")]).exit_code == 0
    rows = [(tmp_path / name / "comparison.csv").read_text() for name in ("out", "whole")]
    assert rows[0] == rows[1]


def test_partial_trainings_that_are_recorded(folder):
    parts = ("--oracle", f"accuracy@{1 / 9}=all.csv:ninth", "--oracle", f"accuracy@{1 / 3:.6f}=all.csv:third")
    given = ("benchmark", *ORACLES, "--strategies", "hyperband,random", *SMALL)
    found = as_json(*given, *parts, cwd=folder)
    assert list(found["strategies"]) == ["hyperband", "random"] and found["left_out"] == {}
    assert 14 < found["strategies"]["hyperband"]["trained"] < 15.01
    whole_only = as_json(*given, cwd=folder)
    assert list(whole_only["strategies"]) == ["random"]
    assert "accuracy@0.111111, which is not recorded" in whole_only["left_out"]["hyperband"]


def test_what_people_read(folder):
    said = hwnas(
        "benchmark", "--space", "nasbench201", "--oracle", "one.csv", "--strategies", "random,genetic,area",
        *SMALL, cwd=folder,
    )  # fmt: skip
    assert (
        "accuracy: 15,625 of the 15,625 architectures of nasbench201 are feasible, the best has 0.75" in said
    )
    assert "with 15 trained networks" in said or "trained networks (median of 4 searches)" in said
    assert "left out: area: it asks for naswot, which is not recorded" in said
    tables = [line for line in said.splitlines() if line.startswith(("strategy ", "random  ", "genetic  "))]
    assert len(tables) == 6 and max(map(len, tables)) <= 80


def test_peers_take_part(folder):
    pytest.importorskip("optuna", reason="optuna is not installed")
    pytest.importorskip("pymoo", reason="pymoo is not installed")
    found = as_json("benchmark", *ORACLES, "--strategies", "random", "--peers", *SMALL, cwd=folder)
    peers = [name for name, one in found["strategies"].items() if one["peer"]]
    assert peers == ["Optuna TPE", "Optuna NSGA-II", "pymoo NSGA-II"] and found["left_out"] == {}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--oracle", "accuracy=short.csv:accuracy"), r"not recorded for 1 of the 15,625 architectures"),
        (
            ("--oracle", "all.csv"),
            "--oracle all.csv: say which column, as all.csv:accuracy; it has accuracy, lat",
        ),
        (("--oracle", "none.csv:accuracy"), "--oracle none.csv:accuracy: none.csv does not exist"),
        (("--oracle", "none.csv"), "--oracle none.csv: there is no such file; the form is NAME=FILE:COLUMN"),
        (("--oracle", "a=all.csv:nothing"), "has no column 'nothing'; it has accuracy, latency, "),
        (("--oracle", "one.csv", "--maximize", "top1"), "--maximize top1: no --oracle has it"),
        (("--oracle", "one.csv", "--oracle", "one.csv"), "accuracy is given twice"),
        (("--oracle", "all.csv:latency"), "less is better of latency"),
        (("--oracle", "one.csv", "--strategies", "magic"), "unknown strategy 'magic'"),
        (("--oracle", "one.csv", "--strategies", "random,tenas:batch=8"), "tenas searches a supernet"),
        (("--oracle", "one.csv", "--strategies", "darts"), "darts searches a supernet"),
        (("--oracle", "one.csv", "--proxies", ""), "--proxies is empty: give a file of scores, or counts"),
        (("--oracle", "one.csv", "--proxies", " ,"), "--proxies is empty"),
        (
            ("--oracle", "all.csv:ninth"),
            "--oracle all.csv:ninth: the name 'ninth' does not tell whether more",
        ),
        (
            ("--oracle", "accuracy@0.5=one.csv", "--oracle", "accuracy@0.50=one.csv"),
            "accuracy@0.5 is given twice",
        ),
        (("--oracle", "one.csv", "--proxies", "magic"), "magic is no file and no count; counts: flops"),
        (("--oracle", "one.csv", "--proxies", "all.csv"), "accuracy is the name of an --oracle, too"),
        (("--oracle", "one.csv", "--subject-to", "latency_ms <= 3"), "unknown metric 'latency_ms'"),
        (("--oracle", "one.csv", "--queries", "20000"), "queries must be from 1 to 15,625"),
        (("--oracle", "one.csv", "--out", "one.csv"), "--out one.csv is a file"),
    ],
    ids=lambda value: "_".join(value[1:]) if isinstance(value, tuple) else "",
)
def test_mistakes(folder, arguments, says, monkeypatch):
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(app, ["benchmark", "--space", "nasbench201", *arguments])
    assert isinstance(done.exception, ValueError) and says in str(done.exception)


@pytest.mark.parametrize(
    ("command", "goes_on"),
    [
        ("search --run r", True),
        ("benchmark --space nasbench201", False),
        ("benchmark --out=o", True),
        ("fit table --out p", False),
        ("fit table --transfer --out p", True),
        ("correlate scores.csv --out o", False),
        ("", False),
    ],
)
def test_what_goes_on_after_it_was_stopped_is_said(command, goes_on):
    assert stopped(command.split()) == (
        "stopped; the same command goes on from here" if goes_on else "stopped"
    )


def test_a_mistake_is_one_line(folder):
    said = hwnas("benchmark", "--space", "nasbench201", "--oracle", "none.csv", cwd=folder, code=2)
    assert said.startswith("error: --oracle none.csv: there is no such file") and said.count("\n") == 1


def test_a_run_in_a_storage_of_optuna(tmp_path):
    optuna = pytest.importorskip("optuna", reason="optuna is not installed")
    hwnas(
        "search", "--space", "nasbench201", "--maximize", "params", "--subject-to", "flops <= 200M",
        "--strategy", "random", "--budget", 8, "--run", "runs/a", cwd=tmp_path,
    )  # fmt: skip
    said = hwnas("report", "runs/a", "--optuna", "sqlite:///x.db", cwd=tmp_path)
    study = optuna.load_study(study_name="a", storage=f"sqlite:///{tmp_path / 'x.db'}")
    told = (
        f"study a in sqlite:///x.db has {len(study.trials)} trials; see them: optuna-dashboard sqlite:///x.db"
    )
    assert told in said
    assert len(study.trials) >= 8 and study.best_value > 0
    said = hwnas("report", "runs/a", "--optuna", "nonsense", cwd=tmp_path, code=2)
    assert "--optuna nonsense: storage 'nonsense' cannot be used" in said
