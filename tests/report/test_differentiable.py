"""The report of a differentiable search: page, pictures, and what is said."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from hwnas.report import differentiable_html as html
from hwnas.report import differentiable_sections
from hwnas.report.differentiable import write_differentiable
from hwnas.report.differentiable_answer import answer_of, facts_of
from hwnas.report.differentiable_figures import probabilities
from hwnas.report.differentiable_text import headline
from hwnas.search.derived import DERIVED
from hwnas.search.records import Candidate
from hwnas.spaces import space

from .differentiable_runs import made
from .test_html import EVIL, Page

SKIPS = "|skip_connect~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|"


@pytest.fixture(autouse=True)
def small_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differentiable_sections, "get_plotlyjs", lambda: "")


def read(record, verified=None) -> Page:
    answer = answer_of(record)
    page = Page(html.page(record, answer, facts_of(record, answer), verified))
    assert not page.open
    for figure in page.figures.values():
        go.Figure(figure)
    return page


def test_headline_of_a_search_that_ended() -> None:
    record = made()
    assert headline(record, facts_of(record, answer_of(record))) == (
        "After 6 epochs darts derived an architecture of 49.00 M FLOPs, 2.0 % below the target of 50.00 M; "
        "3 skips."
    )


def test_headline_of_one_that_was_interrupted_or_stopped() -> None:
    interrupted = made(settings={"epochs": 50})
    facts = facts_of(interrupted, None)
    assert headline(interrupted, facts).startswith("After 6 of 50 epochs darts would derive an architecture")
    stopped = replace(interrupted, stopped="a cell has 2 skips")
    assert headline(stopped, facts).startswith("After 6 of 50 epochs darts derived an architecture")
    assert headline(stopped, facts).endswith("It ended early: a cell has 2 skips.")


def test_what_is_known_without_the_space() -> None:
    record = made(architecture=SKIPS)
    assert facts_of(record, answer_of(record)).skips == 2
    assert facts_of(record, None).skips is None
    assert facts_of(record, None).costs == record.epochs[-1].derived_costs


def test_page_holds_all_plots_and_the_architecture() -> None:
    record = made()
    page = read(record)
    assert sorted(page.figures) == [
        f"figure-{key}" for key in ("accuracy", "cost-0", "cost-1", "loss", "probabilities", "skips")
    ]
    assert record.architecture in page.text
    assert "The cell" in page.words and "nor_conv_1x1" in page.words
    first = page.figures["figure-cost-0"]["data"]
    assert [trace["name"] for trace in first] == ["derived architecture", "expected", "target 50 M"]
    assert np.allclose(first[1]["y"][-1], 50)


def test_page_of_a_verified_architecture_links_its_file() -> None:
    record = made()
    verified = Candidate(record.architecture, {}, {"accuracy": 0.915}, True, "networks/a.onnx")
    page = read(record, verified)
    assert "91.5 %" in page.text and "with weights of its own training" in page.text
    inherited = replace(verified, measured={"latency_ms": 3.2})
    assert "3.2 ms" in read(record, inherited).text
    assert "with weights of the supernet" in read(record, inherited).text


def test_texts_of_the_record_are_escaped() -> None:
    page = read(made(title=EVIL, stopped=EVIL, settings={EVIL: EVIL}, environment={EVIL: EVIL}))
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert EVIL in page.text


@pytest.mark.parametrize("spec", ["nasbench201", "darts", "fbnet"])
def test_the_shares_of_each_panel_fill_it(spec: str) -> None:
    record = made(spec, epochs=2)
    figure = probabilities(record, None)
    panels: dict[str, list[list[float]]] = {}
    for trace in figure["data"]:
        panels.setdefault(trace["xaxis"], []).append(trace["y"])
    assert len(panels) == len(record.groups)
    for shares in panels.values():
        assert np.allclose(np.sum(shares, axis=0), 1, atol=1e-5)
    shown = [trace["name"] for trace in figure["data"] if trace["showlegend"]]
    assert (
        len(shown) == len(set(shown)) == len({label for labels in record.groups.values() for label in labels})
    )


@pytest.mark.parametrize("epochs", [1, 4])
def test_pictures_are_written(epochs: int, tmp_path: Path) -> None:
    made(epochs=epochs).save(tmp_path)
    written = write_differentiable(tmp_path)
    assert [path.name for path in written] == [
        "report.html",
        "report.png",
        "probabilities.png",
        "architecture.png",
    ]
    for path in written[1:]:
        with Image.open(path) as picture:
            picture.load()
            assert len(picture.convert("L").getcolors() or []) > 2


def test_a_space_of_ones_own_is_drawn_where_it_is_given(tmp_path: Path) -> None:
    own = "somewhere:Space"
    made(epochs=1, space=own).save(tmp_path)
    assert "architecture.png" not in [path.name for path in write_differentiable(tmp_path)]
    assert "name it with --space" in (tmp_path / "report.html").read_text()
    with pytest.raises(ValueError, match=r"--space nasbench201: the search was in somewhere:Space"):
        write_differentiable(tmp_path, space("nasbench201"))


def test_a_record_that_does_not_fit_itself_is_damaged(tmp_path: Path) -> None:
    record = made(epochs=2)
    for wrong in ({"probabilities": {"0→1": (1.0,)}}, {"derived_costs": {"macs": 1.0}}):
        replace(record, epochs=(record.epochs[0], replace(record.epochs[1], **wrong))).save(tmp_path)
        with pytest.raises(ValueError, match=r"record.json is damaged: epoch 2"):
            write_differentiable(tmp_path)
    replace(record, epochs=()).save(tmp_path)
    with pytest.raises(ValueError, match="no epoch of its search has ended yet"):
        write_differentiable(tmp_path)


def test_costs_of_what_was_verified_are_those_that_its_search_knew(tmp_path: Path) -> None:
    record = made(epochs=1, architecture=SKIPS)
    record.save(tmp_path)
    costs = {"flops": 4.2e7, "params": 1e6, "supernet_accuracy": 0.5}
    (tmp_path / DERIVED).write_text(json.dumps(asdict(Candidate(SKIPS, costs, {}, True, "networks/a.onnx"))))
    write_differentiable(tmp_path)
    assert "42.00\u00a0M FLOPs, 16.0\u00a0% below" in (tmp_path / "report.html").read_text()
    other = Candidate(record.epochs[0].derived, costs, {}, True, "networks/a.onnx")
    (tmp_path / DERIVED).write_text(json.dumps(asdict(other)))
    write_differentiable(tmp_path)
    assert "networks/a.onnx" not in (tmp_path / "report.html").read_text()
