"""The program as a person runs it: real processes, real files, exit codes."""

import json
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from hwnas.network.to_onnx import to_onnx
from hwnas.spaces import MobileNetV2, space

from .program import as_json, hwnas, started

SPACE = "mobilenetv2:resolution=32,classes=10,width=0.25,depths=(-1,),widths=(0.75,1.0),kernels=(3,)"
CELL = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    path = tmp_path_factory.mktemp("net") / "net.onnx"
    to_onnx(MobileNetV2(resolution=32, classes=10, width=0.25).sample(1, seed=0)[0].network, path)
    return path


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """A folder with a measured table and a fitted predictor."""
    folder = tmp_path_factory.mktemp("workshop")
    hwnas(
        "measure", "--space", SPACE, "--samples", 12, "--quick", "--out", folder / "latency_tables" / "mine"
    )
    hwnas(
        "fit", folder / "latency_tables" / "mine", "--kind", "lookup", "--out", folder / "predictors" / "mine"
    )
    return folder


def test_help_names_the_commands():
    listed = started("--help")
    for command in (
        "count",
        "score",
        "correlate",
        "measure",
        "fit",
        "predict",
        "search",
        "train",
        "export",
        "report",
        "demo",
    ):
        assert command in listed
        assert "--help" in hwnas(command, "--help")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("count", "--space", "nasbench201", "--arch", CELL, "--check"), 0),
        (("score", "--space", SPACE, "--samples", "1", "--proxies", "naswot", "--batch", "4", "--json"), 0),
        (("count", "absent.onnx"), 2),
        (("count", "--space"), 2),
    ],
)
def test_the_installed_program_prints_the_same(arguments, code, tmp_path):
    assert started(*arguments, cwd=tmp_path, code=code) == hwnas(*arguments, cwd=tmp_path, code=code)


def test_starting_and_counting_do_not_import_torch(net):
    script = (
        "import sys, hwnas.cli.main as m\n"
        f"sys.argv = ['hwnas', 'count', {str(net)!r}]\n"
        "try:\n    m.app()\nexcept SystemExit:\n    pass\n"
        "assert 'torch' not in sys.modules and 'sklearn' not in sys.modules and 'scipy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_count_an_onnx_file_and_an_architecture(net):
    counted = as_json("count", net)
    assert counted["flops"] == 2 * counted["macs"] > 0
    assert "params" in hwnas("count", net)
    cell = as_json("count", "--space", "nasbench201", "--arch", CELL)
    assert cell["live"]["macs"] < cell["macs"] and cell["dead_layers"]


def test_count_agrees_with_fvcore():
    assert as_json("count", "--space", "nasbench201", "--arch", CELL, "--check")["fvcore"] == []


def test_count_a_torch_module(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n"
        "def net():\n    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 2))\n"
    )
    counted = as_json("count", "mine:net", "--input", "3x8x8", "--check", cwd=tmp_path)
    assert counted["params"] == 8 * 27 + 8 + 576 + 2
    assert counted["fvcore"] == []


def test_score(tmp_path):
    out = tmp_path / "scores.csv"
    scored = as_json(
        "score", "--space", SPACE, "--samples", 2, "--proxies", "params,synflow", "--batch", 4, "--out", out
    )
    assert len(scored) == 2 and scored[0]["proxies"]["synflow"]["value"]
    assert out.read_text().startswith('"architecture","key","params"')
    assert not out.with_name("scores.csv.journal").exists()


TINY = "nasbench201:channels=4,cells=1,resolution=8"


def test_score_and_correlate_and_search_known_accuracies(tmp_path):
    scores = ["score", "--space", TINY, "--samples", 25, "--batch", 4, "--jobs", 2, "--out", "scores.parquet"]
    hwnas(*scores, "--proxies", "params,live_params,synflow,jacob_cov,snip", cwd=tmp_path)
    rows = [f"{a},{90 + i / 100}" for i, a in enumerate(space(TINY))]
    (tmp_path / "accuracy.csv").write_text("\n".join(["architecture,accuracy", *rows]))
    judged = as_json(
        "correlate", "scores.parquet", "--truth", "accuracy.csv", "--out", "judged", cwd=tmp_path
    )
    assert {"params", "synflow", "vote"} <= set(judged["proxies"])
    assert (tmp_path / "judged" / "correlation.png").exists()
    search = ["search", "--space", TINY, "--oracle", "accuracy=accuracy.csv:accuracy", "--run", "run"]
    found = as_json(*search, "--maximize", "accuracy", "--budget", 30, "--candidates", 1, cwd=tmp_path)
    assert found["candidates"][0]["predicted"]["accuracy"] > 200


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["score", "--space", TINY, "--all"], "--all needs --out"),
        (["score", "--space", TINY, "--all", "--samples", "2", "--out", "a.csv"], "exclude each other"),
        (["score", "--space", TINY, "--samples", "2", "--out", "a.txt"], "must be a file that ends in"),
        (["score", "--space", TINY, "--samples", "2", "--jobs", "0"], "jobs must be from 1"),
        (["score", "--space", TINY, "--samples", "2", "--proxies", "synflw"], "did you mean synflow"),
        (["score", "--space", TINY, "--samples", "2", "--proxies", " , "], "--proxies is empty"),
        (["score", "--space", TINY, "--samples", "2", "--dask", "x", "--jobs", "2"], "exclude each other"),
        (["score", "--space", TINY, "--arch", CELL, "--device", "gpu"], "--device 'gpu' is none"),
        (["score", "--space", TINY, "--samples", "2", "--device", "meta"], "no such device here"),
        (["score", "--space", TINY, "--arch", CELL, "--out", "a.csv"], "--out goes with --samples or --all"),
        (
            ["search", "--space", TINY, "--run", "r", "--oracle", "a.csv"],
            "error: --oracle a.csv: there is no such file; the form is NAME=FILE",
        ),
        (["search", "--space", TINY, "--run", "r", "--maximize", "reduced_accuracy"], "--data digits"),
        (
            ["search", "--run", "r", "--data", "digits", "--maximize", "reduced_accuracy:epoch=3"],
            "it has epochs",
        ),
        (
            ["search", "--run", "r", "--maximize", "synflow:epochs=3"],
            "only reduced_accuracy and accuracy_oneshot have settings",
        ),
    ],
)
def test_wrong_options_of_score_and_search(arguments, message, tmp_path):
    assert message in hwnas(*arguments, cwd=tmp_path, code=2)


def test_measure_fit_predict_search_report_export(workshop):
    table = as_json("fit", "mine", "--kind", "all", cwd=workshop)
    assert all(table[kind]["mape"] < 1 for kind in ("gp", "linear", "lookup"))
    assert "at least 15 measured networks, not 12" in table["gcn"]["reason"]
    predicted = as_json("predict", "mine", "--space", SPACE, "--samples", 3, cwd=workshop)
    bound = sorted(p["latency_ms"] for p in predicted)[1]
    search = ["search", "--space", SPACE, "--maximize", "params", "--predictor", "mine", "--run", "run"]
    search += [
        "--subject-to",
        f"latency_ms <= {bound}ms",
        "--budget",
        20,
        "--strategy",
        "evolution:population=8,tournament=3",
    ]
    found = as_json(*search, "--candidates", 2, "--table", "mine", cwd=workshop)
    winner = found["candidates"][found["winner"]]
    assert winner["measured"]["latency_ms"] <= bound
    assert (workshop / "run" / "report.html").stat().st_size > 1e6
    assert (workshop / "run" / "report.png").exists()
    hwnas("report", "run", cwd=workshop)
    hwnas("export", "--run", "run", "--out", "best.onnx", cwd=workshop)
    onnx.checker.check_model(str(workshop / "best.onnx"))
    assert "mine" in hwnas("list", "tables", cwd=workshop)
    timed = as_json("measure", "best.onnx", "--quick", cwd=workshop)
    assert 0.1 < timed["best.onnx"]["p10_us"] / 1000 / winner["measured"]["latency_ms"] < 10


def test_measuring_again_measures_nothing(workshop):
    before = (workshop / "latency_tables" / "mine" / "journal.jsonl").read_bytes()
    hwnas(
        "measure", "--space", SPACE, "--samples", 12, "--quick", "--out", workshop / "latency_tables" / "mine"
    )
    assert (workshop / "latency_tables" / "mine" / "journal.jsonl").read_bytes() == before


def test_train_and_export(tmp_path):
    architecture = str(MobileNetV2(resolution=32, classes=10, width=0.25).sample(1, seed=1)[0])
    space = "mobilenetv2:resolution=32,classes=10,width=0.25"
    out = tmp_path / "net.onnx"
    trained = as_json(
        "train", "--space", space, "--arch", architecture, "--epochs", 1, "--limit", 100, "--out", out
    )
    assert 0 <= trained["accuracy"] <= 1
    onnx.checker.check_model(str(out))
    hwnas(
        "export", "--space", space, "--arch", architecture, "--batch", "free", "--out", tmp_path / "free.onnx"
    )
    shape = onnx.load(tmp_path / "free.onnx").graph.input[0].type.tensor_type.shape.dim
    assert shape[0].dim_param


@pytest.mark.parametrize(
    "kind", ["devices", "spaces", "proxies", "metrics", "strategies", "tables", "predictors"]
)
def test_list(kind):
    assert isinstance(as_json("list", kind), list)


def _malicious(folder, kind):
    if kind == "truncated":
        path = to_onnx_file(folder)
        path.write_bytes(path.read_bytes()[:700])
        return path
    if kind == "garbage":
        path = folder / "garbage.onnx"
        path.write_bytes(np.random.default_rng(0).bytes(5000))
        return path
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    nodes = {
        "cycle": [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])],
        "gigantic": [helper.make_node("Relu", ["x"], ["b"])],
        "unknown": [helper.make_node("NonMaxSuppression", ["x", "x"], ["b"])],
    }[kind]
    side = 10**9 if kind == "gigantic" else 8
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, side, side, side])
    result = helper.make_tensor_value_info("b", TensorProto.FLOAT, None)
    path = folder / f"{kind}.onnx"
    path.write_bytes(
        helper.make_model(helper.make_graph(nodes, "g", [value], [result], [weight])).SerializeToString()
    )
    return path


def to_onnx_file(folder):
    path = folder / "whole.onnx"
    to_onnx(MobileNetV2(resolution=32, classes=10, width=0.25).sample(1, seed=0)[0].network, path)
    return path


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("truncated", "damaged or cut off"),
        ("garbage", "not an ONNX model"),
        ("cycle", "cycle"),
        ("gigantic", "more than"),
        ("unknown", "NonMaxSuppression"),
    ],
)
def test_malicious_files(tmp_path, kind, says):
    assert says in hwnas("count", _malicious(tmp_path, kind), code=2)


MISTAKES = {
    "no such file": (["count", "absent.onnx"], "absent.onnx"),
    "nothing to count": (["count"], "--space"),
    "neither file nor module": (["count", "net.txt"], ".onnx"),
    "no such module": (["count", "nonsense:net", "--input", "3x8x8"], "nonsense"),
    "no input shape": (["count", "torch.nn:ReLU"], "--input"),
    "bad input shape": (["count", "torch.nn:ReLU", "--input", "3xax8"], "--input"),
    "unknown space": (["count", "--space", "mobilnetv2", "--arch", "x"], "did you mean mobilenetv2"),
    "unknown setting": (["count", "--space", "mobilenetv2:size=3", "--arch", "x"], "no setting 'size'"),
    "bad setting": (["count", "--space", "mobilenetv2:resolution=-3", "--arch", "x"], "resolution"),
    "code in a setting": (["count", "--space", "mobilenetv2:width=__import__('os')", "--arch", "x"], "settings"),
    "unknown decision": (["count", "--space", SPACE, "--arch", "colour=3"], "no decision 'colour'"),
    "arch of another space": (["count", "--space", "nasbench201", "--arch", "kernel_1=3"], "NAS-Bench-201"),
    "cell in mobilenet": (["count", "--space", SPACE, "--arch", CELL], "decision=choice"),
    "bad operation": (["count", "--space", "nasbench201", "--arch", CELL.replace("skip", "sklp")], "sklp_connect"),
    "unknown proxy": (["score", "--space", SPACE, "--samples", "1", "--proxies", "sinflow"], "synflow"),
    "unknown data": (["score", "--space", SPACE, "--samples", "1", "--data", "cifar11"], "cifar11"),
    "unknown device": (["measure", "--space", SPACE, "--device", "tpu"], "ort-cpu"),
    "too many threads": (["measure", "--space", SPACE, "--threads", "999"], "threads"),
    "no samples": (["measure", "--space", SPACE, "--samples", "0"], "--samples"),
    "unknown blocks": (["measure", "--space", SPACE, "--blocks", "some"], "--blocks"),
    "no table": (["fit", "absent"], "no latency table 'absent'"),
    "no predictor": (["predict", "absent", "--space", SPACE, "--samples", "1"], "no predictor 'absent'"),
    "no space": (["search", "--run", "r"], "--space"),
    "unknown metric": (["search", "--run", "r", "--space", SPACE, "--maximize", "speed"], "unknown metric 'speed'"),
    "malformed constraint": (
        ["search", "--run", "r", "--space", SPACE, "--maximize", "params", "--subject-to", "flops < 5"],
        "only upper bounds",
    ),
    "unit of another kind": (
        ["search", "--run", "r", "--space", SPACE, "--maximize", "params", "--subject-to", "flops <= 5ms"],
        "'ms'",
    ),
    "latency without predictor": (
        ["search", "--run", "r", "--space", SPACE, "--subject-to", "latency_ms <= 5"],
        "predictor",
    ),
    "impossible budget": (
        ["search", "--run", "r", "--space", SPACE, "--maximize", "params", "--subject-to", "flops <= 5",
         "--budget", "5"],
        "satisfies flops <= 5; the nearest, ",
    ),
    "an option of another strategy": (
        ["search", "--run", "r", "--space", SPACE, "--strategy", "genetic:tournament=3"],
        "tournament is a setting of evolution",
    ),
    "unknown strategy": (["search", "--run", "r", "--space", SPACE, "--strategy", "magic"], "evolution"),
    "jobs": (["search", "--run", "r", "--space", SPACE, "--jobs", "0"], "jobs"),
    "training without data": (["search", "--run", "r", "--space", SPACE, "--train-epochs", "1"], "--data"),
    "known networks without a device": (["search", "--run", "r", "--space", SPACE, "--table", "t"], "--predictor"),
    "no run": (["report", "absent"], "no run folder"),
    "wrong suffix": (["export", "--space", SPACE, "--out", "net.pt"], ".onnx"),
    "bad batch": (["export", "--space", "nasbench201", "--arch", CELL, "--out", "n.onnx", "--batch", "no"], "--batch"),
    "unknown list": (["list", "cakes"], "cakes"),
    "not a number": (["search", "--run", "r", "--space", SPACE, "--budget", "many"], "--budget"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_explained(tmp_path, mistake):
    arguments, says = MISTAKES[mistake]
    assert says in hwnas(*arguments, cwd=tmp_path, code=2)


def test_a_predictor_of_another_machine(workshop, tmp_path):
    import shutil

    shutil.copytree(workshop / "predictors", tmp_path / "predictors")
    card = tmp_path / "predictors" / "mine" / "predictor.json"
    content = json.loads(card.read_text())
    content["identity"]["device"]["model"] = "Cortex-A53"
    card.write_text(json.dumps(content))
    told = hwnas(
        "search", "--run", "r", "--space", SPACE, "--maximize", "params", "--predictor", "mine",
        "--subject-to", "latency_ms <= 5", cwd=tmp_path, code=2,
    )  # fmt: skip
    assert "Cortex-A53" in told and "device.model" in told
    assert not (tmp_path / "r").exists()
