"""Tables of ONNX files, and options that have no effect; in this process, with a lock of its own."""

import json
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from hwnas.cli.main import app
from hwnas.cli.search_answer import print_answer
from hwnas.latency import LatencyTable, fit
from hwnas.latency.kernels.lowering import kernel_counts
from hwnas.network.to_onnx import to_onnx
from tests.latency.helpers import entry, small_network, table
from tests.report.runs import record

SPACE = "mobilenetv2:resolution=32,classes=10"


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = [tmp_path / f"net{channels}.onnx" for channels in (4, 8)]
    for path, channels in zip(made, (4, 8), strict=True):
        to_onnx(small_network(channels), path)
    return made


def hwnas(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_files_become_a_table_of_networks_and_the_same_command_resumes(files, tmp_path):
    command = ("measure", *files, "--quick", "--out", tmp_path / "table", "--json")
    said = json.loads(hwnas(*command).stdout)
    assert (said["networks"], said["blocks"], said["kernels"], said["failed"]) == (2, 0, 0, {})
    loaded = LatencyTable.load(tmp_path / "table")
    assert {e.name for e in loaded.networks} == {"net4.onnx", "net8.onnx"} and len(loaded) == 2
    assert loaded.table_id == said["table_id"] == json.loads(hwnas(*command).stdout)["table_id"]


def test_kernels_of_files(files, tmp_path):
    done = hwnas("measure", *files, "--grain", "kernels", "--quick", "--out", tmp_path / "table", "--json")
    loaded = LatencyTable.load(tmp_path / "table")
    assert {e.name for e in loaded.networks} == {"net4.onnx", "net8.onnx"}
    assert {e.key for e in loaded.kernels} == {k for c in (4, 8) for k in kernel_counts(small_network(c))}
    assert json.loads(done.stdout)["kernels"] == len(loaded.kernels)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["net.onnx", "--space", SPACE], "--space has no effect on ONNX files"),
        (["net.onnx", "--samples", "3"], "--samples has no effect on ONNX files"),
        (["net.onnx", "--blocks", "none", "--out", "t"], "--blocks has no effect on ONNX files"),
        (["--space", SPACE, "--grain", "kernels", "--blocks", "none"], "--blocks has no effect with --grain"),
        (["--space", SPACE, "--arch", "a", "--samples", "3"], "--samples has no effect with --arch"),
        (["net.onnx", "--grain", "layers"], "--grain must be blocks or kernels"),
    ],
)
def test_options_without_effect_are_refused_by_name(arguments, says):
    done = hwnas("measure", *arguments)
    assert isinstance(done.exception, ValueError) and says in str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["net.onnx", "--samples", "3"], "--samples has no effect without --space"),
        (["net.onnx", "--arch", "a"], "--arch has no effect without --space"),
        (["--read", "b", "--threads", "2"], "--threads has no effect with --read"),
    ],
)
def test_bundles_refuse_them_too(arguments, says):
    done = hwnas("bundle", *arguments, "--out", "folder")
    assert isinstance(done.exception, ValueError) and says in str(done.exception)


@pytest.mark.filterwarnings("ignore::hwnas.latency.predictors.InterpolatedWarning")
def test_predictions_say_which_share_is_interpolated(tmp_path):
    networks = [small_network(channels) for channels in (4, 6, 8, 12)]
    counts = [kernel_counts(network) for network in networks]
    kernels = [entry(key, kind="kernel") for key in {key for one in counts for key in one}]
    whole = [
        entry(network.key, kind="network", p10=100.0 * sum(one.values()), blocks=tuple(one.items()))
        for network, one in zip(networks, counts, strict=True)
    ]
    made = fit(table(*whole, *kernels), "kernel", networks=networks, interpolate=True, composition="sum")
    made.save(tmp_path / "predictor")
    shares = {}
    for channels in (8, 10):
        to_onnx(small_network(channels), tmp_path / "net.onnx")
        said = hwnas("predict", tmp_path / "predictor", tmp_path / "net.onnx", "--json")
        shares[channels] = json.loads(said.stdout)[0]["interpolated"]
    assert shares[8] == 0 < shares[10] <= 1
    assert "interpolated" in hwnas("predict", tmp_path / "predictor", tmp_path / "net.onnx").stdout


@pytest.mark.parametrize("as_json", [True, False])
def test_candidates_of_a_search_say_it_too(as_json, capsys):
    kept = record(30)
    run = SimpleNamespace(
        record=kept, folder=Path("run"), best=lambda: SimpleNamespace(architecture="a", onnx="a.onnx")
    )
    shares = np.linspace(0, 0.5, len(kept.candidates))
    print_answer(run, as_json, shares)
    said = capsys.readouterr().out
    if as_json:
        assert [one["interpolated"] for one in json.loads(said)["candidates"]] == list(shares)
    else:
        assert "50 %" in said
    print_answer(run, as_json)
    assert "interpolated" not in capsys.readouterr().out
