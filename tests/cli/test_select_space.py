"""`hwnas select-space` as a person runs it."""

import csv
import json
import shlex

import pytest

from .program import as_json, hwnas

SMALL = ("--widths", "0.2,0.3", "--resolutions", "48,64", "--samples", 30, "--classes", 10, "--jobs", 1)
LIMITS = ("--sram", "48kB", "--flash", "400kB")


def test_the_table_and_the_files(tmp_path):
    out = tmp_path / "new" / "spaces"
    said = hwnas("select-space", *LIMITS, *SMALL, "--out", out)
    assert "is the space to search in" in said and "48.0 kB peak SRAM and 400.0 kB flash" in said
    assert all(name in said for name in ("w0.2-r48", "w0.2-r64", "w0.3-r48", "w0.3-r64"))
    assert "120 networks drawn; runtime tinyengine" in said and "--space mcunet:" in said
    assert sorted(path.name for path in out.iterdir()) == [
        "cdf.html",
        "cdf.png",
        "selection.json",
        "spaces.csv",
    ]
    with (out / "spaces.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 4


def test_json_and_workers():
    one = as_json("select-space", *LIMITS, *SMALL)
    assert one == as_json("select-space", *LIMITS, *SMALL, "--jobs", 2)
    assert one["limits"] == {"peak_sram_bytes": 48 * 1024, "flash_bytes": 400 * 1024}
    assert len(one["spaces"]) == 4 and one["runtime"] == "tinyengine"


def test_a_board_and_a_latency():
    found = as_json(
        "select-space", "--board", "stm32f746", "--latency", "60ms", "--predictor", "cortex-m7-cmsisnn:stm32h743", *SMALL
    )  # fmt: skip
    assert found["limits"] == {"peak_sram_bytes": 320 * 1024, "flash_bytes": 1024**2, "latency_ms": 60}


MISTAKES = {
    "no limit": ([], "there is no limit"),
    "unknown board": (["--board", "stm32f74"], "did you mean stm32f746"),
    "unknown runtime": (["--sram", "320kB", "--runtime", "tinyengin"], "tinyengine"),
    "no unit": (["--sram", "320"], "give a unit, such as 320kB"),
    "negative": (["--flash", "-1MB"], "not a positive number of bytes"),
    "no number": (["--sram", "lots"], "'lots' is not a number"),
    "half a latency": (["--latency", "5ms"], "--latency and --predictor go together"),
    "no latency": (["--latency", "5kB", "--predictor", "cortex-m7-cmsisnn:stm32h743"], "unit 'kB'"),
    "criterion": (["--sram", "320kB", "--criterion", "max"], "known: mean, p80"),
    "widths": (["--sram", "320kB", "--widths", "a"], "--widths 'a' must be numbers"),
    "resolutions": (["--sram", "320kB", "--resolutions", "48,48"], "resolutions must be different"),
    "jobs": (["--sram", "320kB", "--jobs", "0"], "jobs must be from 1"),
    "nothing fits": (["--sram", "1kB", "--flash", "1kB"], "none of 120 networks drawn from 4 spaces satisfies"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_explained(mistake):
    arguments, says = MISTAKES[mistake]
    told = hwnas("select-space", *SMALL, *arguments, code=2)
    *progress, error = told.splitlines()
    assert says in error and error.startswith("error: ")
    assert progress == (["drawing networks (0 of 120)"] if mistake == "nothing fits" else [])


def test_the_next_command_searches_under_the_same_limits(tmp_path):
    limits = ["--board", "stm32f746", "--sram", "60kB", "--runtime", "tflm-cmsis-nn"]
    limits += ["--latency", "60ms", "--predictor", "cortex-m7-cmsisnn:stm32h743"]
    (line,) = [one for one in hwnas("select-space", *SMALL, *limits).splitlines() if one.startswith("next: ")]
    program, *words = shlex.split(line.removeprefix("next: "))
    assert program == "hwnas"
    hwnas(*words, "--budget", 6, "--candidates", 1, cwd=tmp_path)
    (run,) = (tmp_path / "runs").iterdir()
    config = json.loads((run / "config.json").read_text())
    assert config["constraints"] == {"latency_ms": 60, "peak_sram_bytes": 60 * 1024, "flash_bytes": 1024**2}
    assert config["strategy"]["name"] == "genetic" and config["maximize"] == "macs"
    assert config["metrics"]["peak_sram_bytes"]["runtime"] == "tflm-cmsis-nn"


def test_out_that_cannot_be_written_is_refused_before_the_work():
    told = hwnas("select-space", *LIMITS, "--out", "/proc/spaces/new", code=2)
    assert (
        told.startswith("error: --out /proc/spaces/new cannot be written: ") and len(told.splitlines()) == 1
    )


def test_out_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    assert "is a file" in hwnas("select-space", *LIMITS, "--out", tmp_path / "file", code=2)
