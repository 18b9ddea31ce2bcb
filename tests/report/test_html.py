"""The page, read as a browser's parser reads it, and its plots as plotly checks them."""

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import plotly.graph_objects as go
import pytest

from hwnas.report import html
from hwnas.search.records import BlockShare, Candidate, MetricInfo, RunRecord, Trial

from .degenerate import CASES
from .runs import record

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&$%{x}"
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """What a page holds: tags, links, text, plots."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: dict[str, str] = {}
        self._script = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._script = dict(attrs).get("id", "code") if tag == "script" else ""
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts[self._script] = data
        elif self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.words)

    @property
    def figures(self) -> dict[str, dict]:
        return {key: json.loads(data) for key, data in self.scripts.items() if key.startswith("figure-")}


@pytest.fixture(autouse=True)
def small_library(request, monkeypatch):
    if "many_trials" not in request.node.name:
        monkeypatch.setattr(html, "get_plotlyjs", lambda: "")


def read(run: RunRecord) -> Page:
    page = Page(html.page(run))
    assert not page.open
    for figure in page.figures.values():
        go.Figure(figure)
    return page


def names(figure: dict) -> list[str]:
    return [trace["name"] for trace in figure["data"]]


def test_page_of_a_whole_run() -> None:
    run = record()
    page = read(run)
    assert sorted(page.figures) == ["figure-agreement", "figure-blocks", "figure-progress", "figure-scatter"]
    assert {"winner", "verified candidate", "Pareto front", "budget 5 ms"} <= set(
        names(page.figures["figure-scatter"])
    )
    for said in (
        "Acme Swift 2",
        "onnxruntime 1.20.0",
        "p10-v1",
        "0.12",
        "stage3.block1",
        "1 MAC = 2 FLOPs",
    ):
        assert said in page.text
    assert run.config["command"] in page.text
    assert run.candidates[0].architecture in page.text
    assert "2.1 %" in page.text and "99.0 %" in page.text


def test_scatter_shows_every_trial_that_has_numbers() -> None:
    run = record()
    traces = read(run).figures["figure-scatter"]["data"]
    drawn = sum(len(t["x"]) for t in traces if "trial" in t["name"] or "score" in t["name"])
    assert drawn == sum(
        "latency_ms" in t.metrics for t in run.trials if t.status != "failed" or "naswot" not in t.metrics
    )


def test_table_of_candidates() -> None:
    first = Candidate(
        "a", {"latency_ms": 4.0, "params": 1e6}, {"latency_ms": 4.1, "accuracy": 0.9}, True, "a b.onnx"
    )
    second = Candidate("b", {"latency_ms": 4.0}, {}, False, "../out.onnx")
    page = read(record(20, candidates=[first, second], winner=0))
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert set(links) == {"./a%20b.onnx"}
    for said in ("+2.5 %", "1 ★", "✓ yes", "✗ no", "90.0 %", "1.00 M"):
        assert said in page.words


def test_nothing_is_loaded() -> None:
    page = read(record())
    assert not [a for _, a in page.tags if "src" in a]
    assert not [tag for tag, _ in page.tags if tag in ("link", "iframe", "img")]
    policy = [a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy[0]


def test_every_text_is_escaped() -> None:
    metrics = {EVIL: 2.0, "latency_ms": 1.0}
    block = BlockShare(EVIL, EVIL, (1,), 1, 1, 1.0)
    run = RunRecord(
        EVIL,
        EVIL,
        {EVIL: MetricInfo(EVIL, EVIL, True)},
        {EVIL: 3.0, "latency_ms": 5.0},
        [Trial(0, EVIL, "complete", metrics), Trial(1, EVIL, "failed", {}, EVIL)],
        [Candidate(EVIL, metrics, metrics, True, "javascript:alert(1)", [block])],
        0,
        {EVIL: EVIL, "command": EVIL},
        {"device": EVIL, EVIL: {EVIL: [EVIL]}},
        {EVIL: 1.0},
    )
    page = read(run)
    assert [tag for tag, _ in page.tags].count("script") == len(page.figures) + 2
    assert "img" not in [tag for tag, _ in page.tags]
    assert {a["href"] for tag, a in page.tags if tag == "a"} == {"./javascript%3Aalert%281%29"}
    assert EVIL in page.text
    for figure in page.figures.values():
        assert "<script" not in json.dumps(figure)
        assert "<img" not in json.dumps(figure)


@pytest.mark.parametrize("name", CASES)
def test_something_missing(name: str) -> None:
    page = read(CASES[name])
    assert [tag for tag, _ in page.tags].count("section") == 5
    for figure in page.figures.values():
        assert figure["data"]
        for trace in figure["data"]:
            assert any(v is not None for v in trace["x"]) and any(v is not None for v in trace["y"])
    assert "nan" not in page.text.lower().split()


def test_legends_have_no_empty_entries() -> None:
    run = record(20, candidates=[], winner=None, bounds={})
    for trace in read(run).figures["figure-scatter"]["data"]:
        assert len(trace["x"])


def test_many_trials_stay_small(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    html.write_html(record(10_000), target)
    assert target.stat().st_size < 12e6
    assert '"scattergl"' in target.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_failed_write_leaves_the_old_page(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("old")
    with pytest.raises(TypeError):
        html.write_html(replace(record(3), trials=None), target)
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
