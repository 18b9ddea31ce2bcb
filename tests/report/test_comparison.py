"""The tables, the page and the picture of a comparison of strategies."""

import csv
import io
import json
import math
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from hwnas.objectives import Constraint, Objective
from hwnas.report import comparison_html
from hwnas.report.comparison import content, table, write_comparison
from hwnas.report.comparison_lines import COLOURS, limits, lines
from hwnas.report.comparison_text import headline, heads, ranked, remarks, rows, tables, target, task
from hwnas.search.comparison import Entry, StrategyComparison

from .test_html import EVIL, Page

NAN = math.nan
QUERIES = 120


def entry(label, reaches, *, peer=False, repeats=5, start=90.0, last=94.0):
    """Rises from `start` to `last` in `reaches` networks, each repeat by 0.01 better than the one before."""
    steps = np.minimum(np.arange(1, QUERIES + 1) / reaches, 1)
    best = start + (last - start) * steps + 0.01 * np.arange(repeats)[:, None]
    seconds = np.full(best.shape, NAN)
    trained, answers = np.full(repeats, QUERIES), [None] * repeats
    return Entry(label, peer, best, seconds, trained, 0.25, answers, 20e-6)


def comparison(entries=None, *, bounds=(), left_out=None, budget_s=math.inf):
    entries = entries or [entry("evolution", 80), entry("random", 500), entry("TPE", 40, peer=True)]
    return StrategyComparison(
        Objective("accuracy", bounds),
        {"accuracy": "", "latency_ms": "ms"},
        "small",
        1000,
        600,
        94.04,
        QUERIES,
        budget_s,
        5,
        7,
        entries,
        left_out or {},
    )


def test_the_target_is_what_evolution_has_in_the_end():
    found = comparison()
    assert (target(found).label, target(found).value) == ("evolution", pytest.approx(94.02))
    assert target(comparison([entry("random", 100)])).label == "random"
    assert [one.label for one in ranked(found)] == ["TPE", "evolution", "random"]
    assert headline(found) == (
        "TPE reaches accuracy 94.02 with 40 trained networks (median of 5 searches); "
        "it is what evolution has after 120"
    )


def test_the_headline_names_nobody_who_searched_too_seldom():
    often = [entry("evolution", 80, repeats=150), entry("random", 500, repeats=150)]
    seldom = entry("bayesian", 20, repeats=99)
    assert headline(comparison([*often, seldom])).startswith("evolution reaches")
    assert headline(comparison([*often, entry("bayesian", 20, repeats=100, last=96.0)])).startswith(
        "bayesian reaches"
    )
    assert headline(comparison([entry("evolution", 80), seldom])).startswith("bayesian reaches")


def test_simulated_seconds_of_a_budget(tmp_path):
    seconds = np.arange(1.0, QUERIES + 1) * np.array([[1.0], [2.0], [3.0]])
    one = replace(entry("evolution", 100, repeats=3, last=91.0), seconds=seconds)
    assert one.within(1).tolist() == pytest.approx([90.01, NAN, NAN], nan_ok=True)
    assert one.within(6).tolist() == pytest.approx([90.06, 90.04, 90.04])
    found = comparison([one], budget_s=100.0)
    top, body = tables(found)[-1]
    assert top == ["strategy", "in 10 s", "in 25 s", "in 50 s", "in 100 s", "mean"]
    assert body[0][1] == "90.06 (90.05 to 90.1)"
    assert len(tables(comparison([one]))) == len(tables(found)) - 1
    assert "; 100 simulated seconds; seeds" in task(found)
    told = content(found)
    assert (told["budget_seconds"], content(comparison([one]))["budget_seconds"]) == (100, None)
    within = told["strategies"]["evolution"]["within_seconds"]
    assert list(within) == ["10", "25", "50", "100"]
    assert within["10"]["median"] == pytest.approx(90.06)
    assert "90.06 (90.05 to 90.1)" in "".join(Page(comparison_html.page(found)).words)
    write_comparison(found, tmp_path)
    with Image.open(tmp_path / "comparison.png") as image:
        assert image.width > image.height


def test_the_task_states_bounds_with_units():
    said = task(comparison(bounds=(Constraint("latency_ms", 5),)))
    assert said == (
        "accuracy subject to latency_ms <= 5 ms: 600 of the 1,000 architectures of small are feasible, "
        "the best has 94.04; seeds 7 to 11"
    )


def test_the_rows():
    found = comparison()
    first = dict(zip(heads(found), rows(found)[0], strict=True))
    assert first == {
        "strategy": "TPE",
        "at 10": "91.02",
        "at 30": "93.02",
        "at 50": "94.02",
        "at 100": "94.02",
        "at 120": "94.02",
        "to 94.02": "40",
        "mean": "94.02 ± 0.01",
        "regret": "0.02",
        "optimum": "20.0 %",
        "trained": "120",
        "infeasible": "25.0 %",
        "µs": "20",
        "repeats": "5",
    }
    parts = tables(found)
    assert [head for head, _ in parts] == [heads(found)[:7], ["strategy", *heads(found)[7:]]]
    assert [row[0] for _, body in parts for row in body] == ["TPE", "evolution", "random"] * 2


def test_who_is_left_out_is_said():
    found = comparison(left_out={"area": "no naswot"})
    assert remarks(found) == ["left out: area: no naswot"]
    assert "left out: area: no naswot" in comparison_html.page(found)


def test_the_csv_has_every_number_of_networks():
    found = comparison([entry("evolution", 80), nothing()])
    read = list(csv.DictReader(io.StringIO(table(found))))
    assert [(row["strategy"], int(row["networks"])) for row in read] == [
        (name, n) for name in ("evolution", "nothing") for n in range(1, QUERIES + 1)
    ]
    row = read[39]
    values = [float(row[key]) for key in ("lower_quartile", "median", "upper_quartile", "regret")]
    assert values == pytest.approx([92.01, 92.02, 92.03, 2.02]) and row["seconds"] == ""
    assert read[-1]["median"] == read[-1]["regret"] == ""


def test_simulated_seconds_are_written_where_they_are_known():
    one = entry("evolution", 80)
    seconds = np.cumsum(np.full(one.best.shape, 2.0), axis=1)
    timed = replace(one, seconds=seconds)
    read = list(csv.DictReader(io.StringIO(table(comparison([timed])))))
    assert read[9]["seconds"] == "20"
    assert content(comparison([timed]))["strategies"]["evolution"]["at"]["100"]["seconds"] == 200


def nothing():
    best = np.full((5, QUERIES), NAN)
    return Entry("nothing", False, best, best, np.zeros(5), 1.0, [None] * 5, 1e-6)


def test_the_json_is_plain():
    found = content(comparison([entry("evolution", 80), nothing()], bounds=(Constraint("latency_ms", 5),)))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["constraints"] == {"latency_ms": 5} and found["target"]["strategy"] == "evolution"
    assert found["strategies"]["evolution"]["at"]["10"]["regret"] == pytest.approx(94.04 - 90.52)
    assert found["strategies"]["nothing"]["at"]["10"]["median"] is None
    assert found["strategies"]["nothing"]["mean"] is None
    assert found["strategies"]["evolution"]["repeats"] == 5
    assert 0 < found["strategies"]["evolution"]["at"]["10"]["median_error"] < 0.02


def test_the_best_have_colours_and_peers_always_some():
    many = [entry(f"s{i}", 10 + i) for i in range(9)]
    others = [entry(f"p{i}", 60 + i, peer=True) for i in range(3)]
    found = lines(comparison([*many, *others, entry("evolution", 80), entry("random", 500)]))
    coloured = [line.entry.label for line in found if line.colour in COLOURS]
    assert coloured == ["s0", "s1", "s2", "p0", "p1"]
    assert {line.entry.label for line in found if line.colour} == {*coloured, "evolution", "random"}
    assert len(found) == 14


def test_the_limits_hold_the_optimum_and_where_it_begins():
    low, high = limits(comparison())
    assert low < 91 and 94.04 < high < 94.5
    assert limits(comparison([nothing()])) == (93.04, 94.04)


@pytest.mark.parametrize(
    "entries",
    [
        None,
        [nothing()],
        [entry(EVIL, 80), nothing()],
        [entry("evolution", 1, start=94.0)],
        [entry(f"strategy {i} with a long name + a proxy of a long name", 10 + i) for i in range(30)],
    ],
    ids=["plain", "nothing found", "evil", "constant", "many"],
)
def test_the_page_and_the_picture_hold_whatever_comes(entries, tmp_path):
    found = comparison(entries)
    written = write_comparison(found, tmp_path / "new" / "folder")
    assert [path.name for path in written] == [
        "comparison.csv",
        "comparison.json",
        "comparison.png",
        "comparison.html",
    ]
    source = written[3].read_text()
    page = Page(source)
    for figure in page.figures.values():
        go.Figure(figure)
    assert page.figures and EVIL not in source
    with Image.open(written[2]) as picture:
        assert picture.size == (1320, 816)


def test_the_plot_has_a_line_for_each_and_the_optimum():
    figure = comparison_html.curves(comparison())
    named = [trace for trace in figure["data"] if trace.get("showlegend", True)]
    assert [trace["name"] for trace in named] == ["random", "evolution", "TPE"]
    assert [trace["line"]["dash"] for trace in named] == ["solid", "solid", "dash"]
    assert figure["layout"]["shapes"][0]["y0"] == 94.04
    assert [len(trace["x"]) for trace in named] == [QUERIES] * 3
