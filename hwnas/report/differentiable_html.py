"""A differentiable search as one HTML page that needs nothing else: it loads no script, font or image."""

from __future__ import annotations

from html import escape
from pathlib import Path

from hwnas.differentiable.records import DifferentiableRecord
from hwnas.files import write_whole
from hwnas.report import differentiable_figures as figures
from hwnas.report import differentiable_text as said
from hwnas.report import markup as m
from hwnas.report.differentiable_answer import Answer, Facts
from hwnas.report.differentiable_curves import accuracies, cost_curves, losses, numbers_of
from hwnas.report.differentiable_sections import (
    architecture,
    file_of,
    settings_table,
    verified_tiles,
    whole_page,
)
from hwnas.report.text import label, percent
from hwnas.search.records import Candidate


def write_html(
    record: DifferentiableRecord,
    answer: Answer | None,
    facts: Facts,
    verified: Candidate | None,
    path: Path | str,
) -> None:
    """Write the page; a file of that name is replaced at once, never half.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    write_whole(Path(path), page(record, answer, facts, verified).encode("utf-8", "replace"))


def page(
    record: DifferentiableRecord, answer: Answer | None, facts: Facts, verified: Candidate | None
) -> str:
    """The whole page."""
    drawn = architecture(answer, said.COLOURS)
    course = f"{_costs(record)}{_learning(record)}{_probabilities(record, answer)}"
    return whole_page(
        record.title,
        said.headline(record, facts),
        _summary(record, facts, verified),
        f"{drawn}{course}{_method(record)}",
    )


def _summary(record: DifferentiableRecord, facts: Facts, verified: Candidate | None) -> str:
    items = [
        m.Tile(label(name), said.cost(name, value), said.against_target(record.targets, name, value))
        for name, value in facts.costs.items()
    ]
    items += [*verified_tiles(verified), *_course_tiles(record)]
    shown = f"{m.tiles(items)}<h3>Architecture</h3><pre>{escape(record.architecture)}</pre>"
    return shown + file_of(verified, "weights of the supernet")


def _course_tiles(record: DifferentiableRecord) -> list[m.Tile]:
    seconds = sum(epoch.seconds for epoch in record.epochs)
    memory = max(epoch.peak_memory_bytes for epoch in record.epochs)
    tiles = [m.Tile("epochs", said.epochs_of(record).removesuffix(" epochs"), f"{seconds / 60:.1f} minutes")]
    accuracy = record.epochs[-1].validation_accuracy
    if accuracy is not None:
        tiles.append(m.Tile("supernet", percent(accuracy), "validation accuracy"))
    return [*tiles, m.Tile("peak memory", said.cost("peak_bytes", memory), "of a step")]


def _costs(record: DifferentiableRecord) -> str:
    epochs = numbers_of(record)
    plots = [
        f"<h3>{escape(curve.name)}</h3>{m.plot(f'cost-{i}', curve.title, figures.cost(epochs, curve), '')}"
        for i, curve in enumerate(cost_curves(record))
    ]
    return m.section("Expected and derived cost", m.caption(said.COSTS), *plots)


def _learning(record: DifferentiableRecord) -> str:
    epochs = numbers_of(record)
    loss = figures.pair(epochs, losses(record), "cross-entropy (nats)", " nats")
    accuracy = figures.pair(epochs, accuracies(record), "accuracy (%)", " %")
    skips = figures.skips(epochs, [epoch.skips for epoch in record.epochs])
    return m.section(
        "Losses, accuracies and skips",
        m.caption(said.ACCURACIES),
        f"<h3>Loss</h3>{m.plot('loss', 'Loss over the epochs', loss, '')}",
        f"<h3>Accuracy</h3>{m.plot('accuracy', 'Accuracy over the epochs', accuracy, '')}",
        f"<h3>Skips, were they not bounded</h3>{m.plot('skips', 'Skips over the epochs', skips, '')}",
    )


def _probabilities(record: DifferentiableRecord, answer: Answer | None) -> str:
    figure = figures.probabilities(record, answer)
    drawn = m.plot("probabilities", "Probabilities of each group's choices over the epochs", figure, "")
    return m.section("Probabilities", m.caption(said.PROBABILITIES), drawn)


def _method(record: DifferentiableRecord) -> str:
    first, *others = said.heads(record)
    rows = [
        ("", [m.name(number), *(m.number(text) for text in texts)])
        for number, *texts in (said.row(record, epoch) for epoch in record.epochs)
    ]
    parts = [m.table([m.name(first), *(m.number(head) for head in others)], rows)]
    for title, settings in (("Settings", record.settings), ("Machine and software", record.environment)):
        parts += [f"<h3>{title}</h3>", settings_table(settings)]
    return m.section("Epochs and settings", *parts)
