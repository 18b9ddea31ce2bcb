"""`hwnas correlate` as a person runs it."""

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from .program import as_json, hwnas

N = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Scores of N architectures, two thirds of them with a known accuracy."""
    place = tmp_path_factory.mktemp("correlate")
    rng = np.random.default_rng(0)
    accuracy = 60 + 10 * rng.random(N)
    texts = [f"arch {i}" for i in range(N)]
    naswot = accuracy + rng.normal(size=N)
    naswot[::4] = np.nan
    columns = {
        "architecture": texts,
        "naswot": naswot,
        "plain": -accuracy,
        "mine": accuracy**3,
        "naswot_reason": ["no code" if np.isnan(v) else "" for v in naswot],
    }
    parquet.write_table(pyarrow.table(columns), place / "scores.parquet")
    with (place / "sized.csv").open("w") as file:
        file.write("architecture,naswot,params\n")
        file.writelines(
            f"{t},{'inf' if np.isnan(v) else v},{i}\n"
            for i, (t, v) in enumerate(zip(texts, naswot, strict=True))
        )
    with (place / "truth.csv").open("w") as file:
        file.write("arch,test_accuracy\n" + "".join(f"arch {i},{accuracy[i]}\n" for i in range(79, -1, -1)))
    (place / "two.csv").write_text("arch,valid,test\narch 0,1,2\n")
    (place / "other.csv").write_text("arch,test\n|nor_conv~0|,2\n")
    (place / "texts.csv").write_text("arch,test\narch 0,good\n")
    (place / "unknown.csv").write_text("arch,test\narch 0,inf\n")
    (place / "notes.txt").write_text("x")
    return place


def test_figures_as_json(folder):
    found = as_json("correlate", "scores.parquet", "--truth", "truth.csv", cwd=folder)
    assert (found["truth"], found["architectures"], found["listed"]) == ("test_accuracy", 80, N)
    assert found["assumed_higher_is_better"] == ["mine"] and found["baselines"] == []
    proxies = found["proxies"]
    assert list(proxies) == ["naswot", "plain", "mine"]
    assert proxies["plain"]["higher_is_better"] is False
    for name in ("plain", "mine"):
        assert proxies[name]["spearman"]["value"] == pytest.approx(1)
        assert proxies[name]["coverage"] == 1
    assert (proxies["naswot"]["scored"], proxies["naswot"]["coverage"]) == (60, 0.75)
    assert proxies["naswot"]["top_64_in_top_5"]["value"] is None
    assert "more than 64" in proxies["naswot"]["top_64_in_top_5"]["reason"]


def test_tables_say_what_was_joined_and_assumed(folder):
    said = hwnas("correlate", "scores.parquet", "--truth", "truth.csv", cwd=folder)
    assert "80 of the 120 architectures with scores have a test_accuracy (of 80 in the truth)" in said
    assert "taken as higher is better, being no known proxies: mine" in said
    assert "no baseline: none of the columns params, live_params, flops" in said
    assert "75.0 %" in said and "undefined scores ranked last" in said
    assert max(len(line) for line in said.splitlines() if "[" in line and "]," not in line) <= 130


def test_baselines_come_first_and_files_are_written(folder, tmp_path):
    out = tmp_path / "new" / "report"
    said = hwnas(
        "correlate", "sized.csv", "--truth", "truth.csv", "--proxies", "naswot", "--out", out, cwd=folder
    )
    rows = [line.split()[0] for line in said.splitlines() if line.startswith(("params", "naswot"))]
    assert rows[:2] == ["params", "naswot"]
    assert "params (baseline)" in said and "no baseline" not in said
    assert sorted(path.name for path in out.iterdir()) == [
        "correlation.csv",
        "correlation.html",
        "correlation.png",
    ]
    assert (out / "correlation.html").stat().st_size > 1e6


MISTAKES = {
    "no truth": (["scores.parquet"], "--truth"),
    "no such file": (["absent.csv", "--truth", "truth.csv"], "absent.csv"),
    "a folder": ([".", "--truth", "truth.csv"], "folder"),
    "another kind of file": (["notes.txt", "--truth", "truth.csv"], ".csv or .parquet"),
    "several truths": (["scores.parquet", "--truth", "two.csv"], "--truth-column is needed: two.csv has valid, test"),
    "unknown truth": (["scores.parquet", "--truth", "two.csv", "--truth-column", "tset"], "it has valid, test"),
    "truth of text": (["scores.parquet", "--truth", "texts.csv"], "no column of numbers"),
    "truth not known": (["scores.parquet", "--truth", "unknown.csv"], "test is not known of any"),
    "other architectures": (["scores.parquet", "--truth", "other.csv"], "'arch 0' in the scores and '|nor_conv~0|'"),
    "unknown proxy": (["scores.parquet", "--truth", "truth.csv", "--proxies", "naswto"], "--proxies naswto"),
    "a column of text": (["scores.parquet", "--truth", "truth.csv", "--proxies", "naswot_reason"], "column of numbers"),
    "no proxy": (["scores.parquet", "--truth", "truth.csv", "--proxies", " , "], "--proxies names none"),
    "out is a file": (["scores.parquet", "--truth", "truth.csv", "--out", "notes.txt"], "--out notes.txt is a file"),
    "out in a file": (["scores.parquet", "--truth", "truth.csv", "--out", "notes.txt/a"], "or in one"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_explained(folder, mistake):
    arguments, says = MISTAKES[mistake]
    told = hwnas("correlate", *arguments, cwd=folder, code=2)
    assert says in told
    if mistake != "no truth":
        assert told.startswith("error: ") and told.count("\n") == 1
