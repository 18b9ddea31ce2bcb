"""The files of a selection: whole, valid, and safe whatever the grid calls its spaces."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from hwnas.objectives import Constraint
from hwnas.report.space_selection import write_selection
from hwnas.report.space_selection_curves import curves
from hwnas.report.space_selection_html import cdf, page
from hwnas.report.space_selection_text import HEADS, certainty, headline, remarks, rows
from hwnas.spaces import MCUNet
from hwnas.tinynas import Selection, SpaceStatistics
from hwnas.tinynas.sampling import Draws

from .test_html import EVIL, Page

KB = 1024


def statistics(name, macs, first=0.0, drawn=100, excluded=(40, 10), flagged=False):
    macs = np.array(macs, dtype=float)
    score = macs.mean() if len(macs) else float("nan")
    draws = Draws(drawn, macs, excluded, None)
    return SpaceStatistics(
        name, MCUNet(), draws, ("peak_sram_bytes", "flash_bytes"), float(score), first, flagged
    )


@pytest.fixture
def selection():
    spread = np.random.default_rng(0).normal(0, 4e6, 60)
    ranked = [
        statistics(f"w0.5-r{160 - 16 * i}", 6e7 - 6e6 * i + spread, (0.7, 0.28, 0.02)[i] if i < 3 else 0.0)
        for i in range(7)
    ]
    ranked += [
        statistics("rare", [9e7, 9.5e7], excluded=(98, 10), flagged=True),
        statistics("none", [], excluded=(100, 100), flagged=True),
    ]
    constraints = (Constraint("peak_sram_bytes", 256 * KB), Constraint("flash_bytes", 1024 * KB))
    units = {"peak_sram_bytes": "bytes", "flash_bytes": "bytes"}
    return Selection(tuple(ranked), constraints, units, "tinyengine", "mean", 0.05, None, 0)


def test_words(selection):
    mean = selection.best.mean_macs / 1e6
    assert headline(selection) == (
        "w0.5-r160 is the space to search in: 60.0 % of its networks are within 256.0 kB peak SRAM and "
        f"1.00 MB flash, with {mean:.2f} M MACs in the mean"
    )
    assert "w0.5-r160, w0.5-r144 cannot be told apart" in certainty(
        selection
    ) and "--confidence" in certainty(selection)
    sure = replace(selection, ranked=(replace(selection.best, probability_first=1.0),))
    assert "told apart" not in certainty(sure) and remarks(sure) == []
    asked = certainty(replace(selection, confidence=0.9))
    assert "The 100 networks drawn of each do not tell them apart" in asked
    assert "(*, 1 of 9)" in remarks(selection)[0] and "In 1 of 9 spaces" in remarks(selection)[1]


def test_rows(selection):
    table = rows(selection.ranked)
    assert all(len(row) == len(HEADS) for row in table)
    assert table[0][3:] == ["60.0 %", "peak SRAM", "40.0 %", "70.0 %"]
    assert table[-2][0] == "rare *" and table[-2][3] == "2.0 %"
    assert table[-1][:4] == ["none", "–", "–", "0.0 %"]


def test_curves_are_the_cdfs(selection):
    drawn = curves(selection)
    assert len(drawn) == 8 and sum(one.colour is not None for one in drawn) == 5
    for one in drawn:
        assert (one.macs[0], one.macs[-1]) == (one.space.draws.macs.min(), one.space.draws.macs.max())
        at = int(np.argmin(abs(one.fraction - 0.8)))
        assert one.macs[at] == pytest.approx(one.space.p80_macs)


def test_files_are_written_whole(selection, tmp_path):
    folder = tmp_path / "new" / "selection"
    written = write_selection(selection, folder)
    assert (
        sorted(path.name for path in folder.iterdir())
        == ["cdf.html", "cdf.png", "selection.json", "spaces.csv"]
        == sorted(path.name for path in written)
    )
    picture = (folder / "cdf.png").read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) > 20_000


def test_the_page_holds_the_plot_and_every_space(selection):
    read = Page(page(selection))
    assert not read.open and all(
        name not in dict(attributes) for _, attributes in read.tags for name in ("src", "onerror")
    )
    assert all(one.name in read.text for one in selection.ranked)
    figure = go.Figure(read.figures["figure-cdf"])
    assert len(figure.data) == 9
    markers = figure.data[-1]
    assert list(markers.x) == pytest.approx([one.p80_macs / 1e6 for one in selection.ranked[:5]], rel=1e-5)


def test_names_are_shown_and_never_run(selection, tmp_path):
    ranked = (
        replace(selection.best, name=EVIL),
        replace(selection.ranked[1], name="_x$y_$"),
        *selection.ranked[2:],
    )
    hostile = replace(selection, ranked=ranked)
    read = Page(page(hostile))
    assert not read.open and EVIL.split("&")[0] in read.text and "img" not in [tag for tag, _ in read.tags]
    assert len(write_selection(hostile, tmp_path)) == 4


def test_too_few_networks_for_a_probability(selection, tmp_path):
    few = replace(selection, ranked=tuple(replace(one, probability_first=None) for one in selection.ranked))
    assert certainty(few).startswith("Too few networks satisfy the limits (fewer than 20 in a space")
    assert rows(few.ranked)[0][-1] == "–" and "too few networks to say how surely" in page(few)
    assert len(write_selection(few, tmp_path)) == 4


def test_one_network_of_one_space(selection, tmp_path):
    single = replace(selection, ranked=(statistics("one", [5e6], 1.0, drawn=1, excluded=(0, 0)),))
    assert rows(single.ranked)[0] == ["one", "5.00 M", "5.00 M", "100.0 %", "–", "–", "100.0 %"]
    assert len(cdf(single)["data"]) == 2 and len(write_selection(single, tmp_path)) == 4
