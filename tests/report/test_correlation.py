"""The table, the page and the picture of a comparison of proxies."""

import csv
import io
import json
import math

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from hwnas.proxies.correlation import Table, compare
from hwnas.report import correlation_html
from hwnas.report.correlation import table, write_correlation
from hwnas.report.correlation_figure import MOST_POINTS, drawn, panels
from hwnas.report.correlation_headline import headline, legend
from hwnas.report.correlation_panels import colour_values, panel, score_axis
from hwnas.report.correlation_png import write_png
from hwnas.report.correlation_tables import reasons, tables

from .test_html import EVIL, Page

NAN = math.nan


def comparison(n=200, names=("synflow", "naswot"), *, baselines=True, gaps=(), truth="accuracy"):
    rng = np.random.default_rng(0)
    values = 90 + rng.normal(size=n)
    columns = {name: values + (1 + i) * rng.normal(size=n) for i, name in enumerate(names)}
    for name in gaps:
        columns[name][rng.random(n) < 0.4] = NAN
    if baselines:
        columns |= {"params": np.exp(values / 10), "flops": np.exp(values / 9)}
    texts = [f"|conv~{i}|<b>&" for i in range(n)]
    scores, known = Table(texts, columns), Table(texts, {truth: values})
    return compare(scores, known, truth, higher_is_better=dict.fromkeys(columns, True), resamples=5)


def constant(value):
    columns = {"broken": np.full(5, value), "params": np.arange(5.0)}
    texts = list("abcde")
    return compare(
        Table(texts, columns), Table(texts, {"accuracy": np.arange(5.0)}), "accuracy",
        higher_is_better={"broken": True}, resamples=2,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def small_library(monkeypatch):
    monkeypatch.setattr(correlation_html, "get_plotlyjs", lambda: "")


def read(found):
    page = Page(correlation_html.page(found))
    assert not page.open
    for figure in page.figures.values():
        go.Figure(figure)
    return page


def test_all_three_files(tmp_path):
    written = write_correlation(comparison(gaps=("naswot",)), tmp_path / "new" / "folder")
    assert [path.name for path in written] == ["correlation.csv", "correlation.html", "correlation.png"]
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == sorted(
        path.name for path in written
    )
    rows = list(csv.DictReader(written[0].open()))
    assert [row["proxy"] for row in rows] == ["params", "flops", "synflow", "naswot"]
    assert float(rows[3]["coverage"]) < 1 == float(rows[0]["coverage"])
    assert float(rows[2]["spearman_low"]) <= float(rows[2]["spearman_high"])


def test_csv_says_why_a_figure_is_missing():
    row = list(csv.DictReader(io.StringIO(table(constant(NAN)))))[1]
    assert row["spearman"] == "nan"
    assert row["spearman_reason"] == "0 architectures have a score; at least 3 are needed"


def test_page_shows_every_figure_and_loads_nothing():
    found = comparison(gaps=("naswot",))
    page = read(found)
    for one in found.judged:
        assert f"{one.correlation.spearman.value:.3f}" in page.text
    assert "params (baseline)" in page.text and "undefined scores ranked last" in page.text
    assert not [attributes for _, attributes in page.tags if "src" in attributes]
    assert not [tag for tag, _ in page.tags if tag in ("link", "iframe", "img")]


def test_every_architecture_is_drawn_once_in_each_panel():
    figure = panels(comparison(gaps=("naswot",)))
    for axis in ("x", "x2", "x3", "x4"):
        assert sum(len(trace["x"]) for trace in figure["data"] if trace["xaxis"] == axis) == 200
    undefined = [trace for trace in figure["data"] if "undefined" in trace["name"]]
    assert [trace["xaxis"] for trace in undefined] == ["x4"]


def test_points_are_darker_with_more_parameters():
    found = comparison()
    colours = panels(found)["data"][0]["marker"]["color"]
    assert colours == sorted(colours) and colours[0] < colours[-1]
    assert "darker" in legend(found)
    without = comparison(baselines=False)
    assert colour_values(without.size) is None
    assert "coloraxis" not in panels(without)["layout"] and "darker" not in legend(without)


def test_panels_do_not_overlap():
    layout = panels(comparison(names=[f"p{i}" for i in range(28)]))["layout"]
    boxes = [
        (*layout[f"xaxis{i or ''}"]["domain"], *layout[f"yaxis{i or ''}"]["domain"])
        for i in [0, *range(2, 31)]
    ]
    for i, (left, right, low, high) in enumerate(boxes):
        assert 0 <= left < right <= 1 and 0 <= low < high <= 1
        for other in boxes[:i]:
            assert left >= other[1] or right <= other[0] or low >= other[3] or high <= other[2]


def test_a_large_population_is_thinned_and_said_to_be():
    found = comparison(n=20_001, names=("a", "b", "c", "d"), baselines=False)
    assert len(drawn(found)) == MOST_POINTS // 4
    assert "15,000 of the 20,001 architectures are drawn" in read(found).text


def test_every_text_is_escaped():
    found = comparison(names=(EVIL,), truth=EVIL)
    page = read(found)
    assert [tag for tag, _ in page.tags].count("script") == 3
    assert "img" not in [tag for tag, _ in page.tags]
    for figure in page.figures.values():
        assert "<script" not in json.dumps(figure) and "<img" not in json.dumps(figure)


def test_axis_keeps_a_long_tail_from_hiding_the_rest():
    scores = np.concatenate([np.linspace(-70, -65, 995), [-1e5] * 5])
    axis = score_axis(scores)
    assert -75 < axis.low < -70 and axis.high > -65
    found = comparison(n=1000, names=("jacob_cov",), baselines=False)
    found.judged[0].scores[:] = scores
    assert panel(found, found.judged[0]).beyond == 5
    assert "5 beyond the axis" in "".join(panel(found, found.judged[0]).lines)


@pytest.mark.parametrize(
    "scores",
    [[], [3.0], [2.0, 2.0], [0.0, 0.0], [1e-300, 1e300], [-1.7e308, 1.7e308], [1e6, 1e60], [-5.0, 5.0]],
)
def test_axis_holds_the_scores(scores):
    axis = score_axis(np.array(scores))
    assert np.isfinite([axis.low, axis.high]).all() and axis.low < axis.high
    assert all(axis.low <= score <= axis.high for score in scores)
    assert axis.low < axis.at(0.03) < axis.high


@pytest.mark.parametrize(
    "found",
    [
        comparison(names=("one",), baselines=False),
        comparison(names=[f"a_rather_long_name_of_a_proxy_{i}" for i in range(28)]),
        comparison(n=3),
        constant(NAN),
        constant(math.inf),
        constant(0.0),
    ],
    ids=["one", "thirty", "three architectures", "all NaN", "all infinite", "all equal"],
)
def test_whatever_there_is_can_be_drawn(found, tmp_path):
    write_png(found, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        picture.load()
        assert picture.size[0] >= 900
        assert len(picture.convert("L").getcolors() or []) > 2
    assert "nan" not in read(found).text.lower().split()


def test_headline_and_reasons():
    said = headline(comparison())
    assert "best proxy synflow" in said and "best baseline params" in said and "200 architectures" in said
    assert "no baseline" in headline(comparison(baselines=False))
    assert "no proxy" in headline(constant(NAN))
    assert "broken: no figure: 0 architectures have a score; at least 3 are needed" in reasons(constant(NAN))
    assert len(tables(comparison())) == 4 and len(tables(comparison(gaps=("naswot",)))) == 5
