"""The report of a search by pruning: page and pictures."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image

from hwnas.differentiable.pruning.record import PruningRecord, Round
from hwnas.differentiable.pruning.reduced import remaining_architecture
from hwnas.differentiable.pruning.rounds import pruned
from hwnas.differentiable.zeros import all_but_zeros
from hwnas.report import differentiable_sections, pruning_html
from hwnas.report.differentiable_answer import answer_of
from hwnas.report.pruning import lasted, write_pruning
from hwnas.report.pruning_text import removals
from hwnas.search.derived import DERIVED
from hwnas.search.records import Candidate
from hwnas.spaces import space

from .test_html import EVIL, Page


@pytest.fixture(autouse=True)
def small_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differentiable_sections, "get_plotlyjs", lambda: "")


def made(spec: str = "nasbench201", number: int = 1) -> PruningRecord:
    """Of random harms."""
    rng = np.random.default_rng(0)
    supernetwork = space(spec).supernetwork()
    begun = all_but_zeros(supernetwork)
    found = [begun, *pruned(begun, [lambda _, all_: dict(zip(all_, rng.random(len(all_)), strict=True))],
                            number=number)]  # fmt: skip
    rounds = [
        Round(i, left, {"ntk_cond": 1e4 / (i + 1), "naswot": None}, 2.0) for i, left in enumerate(found)
    ]
    answer = remaining_architecture(supernetwork, found[-1])
    settings = {"proxies": "ntk_cond+naswot", "number": number}
    return PruningRecord(spec, spec, settings, supernetwork.groups, tuple(rounds), str(answer))


def read(record: PruningRecord, verified: Candidate | None = None) -> Page:
    page = Page(pruning_html.page(record, answer_of(record), verified))
    assert not page.open
    for figure in page.figures.values():
        go.Figure(figure)
    return page


def test_page_has_the_answer_the_rounds_and_what_went() -> None:
    record = made()
    page = read(record, Candidate(record.architecture, {"flops": 5e7}, {}, True, "networks/a.onnx"))
    assert "In 3 rounds tenas pruned the space to an architecture of 50.00\u00a0M FLOPs." in page.text
    assert sorted(page.figures) == ["figure-value-0", "figure-value-1"]
    assert page.figures["figure-value-0"]["data"][0]["y"] == [1e4, 5e3, 1e4 / 3, 2500]
    assert "The cell" in page.words and record.architecture in page.text
    assert "with random weights: nothing was trained" in page.text
    for texts in removals(record).values():
        assert all(text in page.words for text in texts)


def test_each_choice_but_none_went_or_remains_once() -> None:
    record = made()
    for group, texts in removals(record).items():
        assert sorted(texts) == sorted({*record.groups[group]} - {"none"})
        assert dict(zip(record.groups[group], lasted(record, group), strict=True)) == {
            "none": 0, **{text: i for i, text in enumerate(texts, start=1)}
        }  # fmt: skip


def test_page_of_an_interrupted_search_says_so() -> None:
    record = made()
    page = read(replace(record, rounds=record.rounds[:2], architecture=made().architecture))
    assert "1 round" in page.text
    interrupted = replace(record, rounds=record.rounds[:2], architecture="")
    text = Page(pruning_html.page(interrupted, None, None)).text
    assert "After 1 round 18 choices of 6 groups remain." in text
    assert "The search has not ended" in text


def test_texts_of_the_record_are_escaped() -> None:
    record = replace(made(), settings={EVIL: EVIL}, scored=EVIL)
    page = read(record)
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert EVIL in page.text


@pytest.mark.parametrize(("spec", "number"), [("nasbench201", 1), ("darts", 3), ("fbnet", 4)])
def test_files_are_written(spec: str, number: int, tmp_path: Path) -> None:
    record = made(spec, number)
    record.save(tmp_path)
    found = Candidate(record.architecture, {"flops": 5e7}, {"accuracy": 0.91}, True, "networks/a.onnx")
    (tmp_path / DERIVED).write_text(json.dumps(asdict(found)))
    written = write_pruning(tmp_path)
    assert [path.name for path in written] == ["report.html", "remaining.png", "architecture.png"]
    assert "with weights of its own training" in written[0].read_text()
    for path in written[1:]:
        with Image.open(path) as picture:
            picture.load()
            assert len(picture.convert("L").getcolors() or []) > 2


def test_a_search_without_a_round_and_one_of_another_space_are_refused(tmp_path: Path) -> None:
    record = made()
    replace(record, rounds=record.rounds[:1], architecture="").save(tmp_path)
    with pytest.raises(ValueError, match="no round of its search has ended yet"):
        write_pruning(tmp_path)
    record.save(tmp_path)
    with pytest.raises(ValueError, match="the search was in nasbench201"):
        write_pruning(tmp_path, space("fbnet"))
