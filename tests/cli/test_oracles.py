"""`--oracle` is read alike by every command that has it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hwnas.cli.main import app
from hwnas.cli.oracles import oracles
from hwnas.spaces import NASBench201
from tests.oracles.records import FIRST, SECOND

SPACE = NASBench201()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.csv").write_text(f"arch,accuracy\n{FIRST},0.8\n{SECOND},0.9\n")
    (tmp_path / "two.csv").write_text(f"arch,accuracy,latency_ms\n{FIRST},0.8,1\n{SECOND},0.9,2\n")
    (tmp_path / "infinite.csv").write_text(f"arch,accuracy\n{FIRST},0.8\n{SECOND},inf\n")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("one.csv", "accuracy"),
        ("two.csv:accuracy", "accuracy"),
        ("top1=one.csv", "top1"),
        ("top1=two.csv:accuracy", "top1"),
    ],
)
def test_name_and_column_may_be_left_out(folder, text, name):
    (found,) = oracles([text], SPACE).values()
    assert found.name == name and found(SPACE.parse(SECOND)) == 0.9


def test_what_is_not_recorded_is_said(folder, capsys):
    oracles(["one.csv"], SPACE)
    assert "accuracy is recorded for 0 of 200 random architectures of the space" in capsys.readouterr().err


def test_nothing_is_said_where_all_is_recorded(folder, capsys):
    rows = "".join(f"{one},0.5\n" for one in SPACE.unique())
    Path("all.csv").write_text(f"arch,accuracy\n{rows}")
    oracles(["all.csv"], SPACE)
    assert capsys.readouterr().err == ""


def test_a_name_that_is_taken_is_refused(folder):
    with pytest.raises(ValueError, match=r"--oracle two\.csv:latency_ms: latency_ms is given twice"):
        oracles(["two.csv:latency_ms"], SPACE, taken=["latency_ms"])


@pytest.mark.parametrize("command", [("search", "--run", "r"), ("benchmark",)])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("accuracy=none.csv:top1", "none.csv does not exist"),
        ("accuracy=", "there is no such file; the form is NAME=FILE:COLUMN"),
        ("two.csv", "say which column, as two.csv:accuracy"),
        ("a=one.csv:top1", "has no column 'top1'; it has accuracy"),
        ("infinite.csv", "infinite.csv: column accuracy: row 2 is inf"),
    ],
)
def test_errors_begin_with_the_option(folder, command, text, says):
    done = CliRunner().invoke(app, [*command, "--space", "nasbench201", "--oracle", text])
    assert isinstance(done.exception, ValueError)
    assert str(done.exception).startswith(f"--oracle {text}: ") and says in str(done.exception)


def test_search_refuses_to_maximise_a_latency(folder):
    asked = ["--oracle", "two.csv:latency_ms", "--maximize", "latency_ms"]
    done = CliRunner().invoke(app, ["search", "--run", "r", "--space", "nasbench201", *asked])
    assert "less is better of latency_ms, so it cannot be maximised" in str(done.exception)


def test_search_refuses_a_name_of_its_own(folder):
    done = CliRunner().invoke(
        app, ["search", "--run", "r", "--space", "nasbench201", "--oracle", "params=one.csv"]
    )
    assert "--oracle: params is a metric of hwnas" in str(done.exception)
