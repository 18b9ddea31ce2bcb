"""What the candidates use of the budgets."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from hwnas.report.budgets import budgets, draw_budgets
from hwnas.report.html import page
from hwnas.search.records import MetricInfo

from .runs import record

KB = 1024
BYTES = ("peak_sram_bytes", "flash_bytes")


@pytest.fixture
def run():
    """A run under limits of SRAM and flash, without latencies."""
    made = record()
    values = [{"naswot": 9.0 - i, BYTES[0]: (30 + i) * KB, BYTES[1]: 200.0 * KB} for i in range(3)]
    candidates = [
        replace(
            one,
            predicted=value,
            measured={},
            intervals={},
            blocks=[replace(b, latency_ms=None) for b in one.blocks],
        )
        for one, value in zip(made.candidates[:3], values, strict=True)
    ]
    return replace(
        made,
        metrics={**made.metrics, **{name: MetricInfo(name, "bytes", False) for name in BYTES}},
        bounds={BYTES[0]: 40.0 * KB, BYTES[1]: 400.0 * KB},
        trials=[replace(trial, metrics=values[0]) for trial in made.trials],
        candidates=candidates,
        winner=0,
    )


def test_the_fraction_of_each_budget(run):
    sram, flash = budgets(run)
    assert (sram.text, flash.text) == ("peak SRAM: 40.0 kB", "flash: 400.0 kB")
    assert sram.used == pytest.approx([0.75, 0.775, 0.8]) and flash.used == pytest.approx([0.5] * 3)
    assert budgets(replace(run, candidates=[])) == []


def test_the_marks_stand_where_the_values_are(run):
    panel = Figure().subplots()
    draw_budgets(panel, budgets(run), 0)
    others, winner = (np.asarray(one.get_offsets()) for one in panel.collections)
    assert sorted(others.tolist()) == [[50, 1], [50, 1], [77.5, 0], [80, 0]]
    assert winner.tolist() == [[75, 0], [50, 1]] and panel.get_xlim()[1] == pytest.approx(115)


def test_the_page_has_no_columns_for_latencies(run):
    text = page(run)
    assert ">deviation<" in page(record()) and ">latency<" in page(record())
    assert ">deviation<" not in text and ">latency<" not in text
    assert "3 of 3 candidates satisfy every constraint." in text
    assert "30.0 kB" in text.replace("\u00a0", " ")
