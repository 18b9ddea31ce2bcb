"""A differentiable search as one HTML page that needs nothing else: it loads no script, font or image."""

from __future__ import annotations

from html import escape
from pathlib import Path

from plotly.offline import get_plotlyjs

from hwnas.differentiable.records import DifferentiableRecord
from hwnas.files import write_whole
from hwnas.objectives import format_quantity
from hwnas.report import differentiable_figures as figures
from hwnas.report import differentiable_text as said
from hwnas.report import markup as m
from hwnas.report.architecture_drawing import drawings
from hwnas.report.differentiable_answer import Answer, Facts
from hwnas.report.differentiable_curves import accuracies, cost_curves, losses, numbers_of
from hwnas.report.drawing_svg import svg
from hwnas.report.text import flattened, label, percent, unbroken
from hwnas.search.records import Candidate

_HERE = Path(__file__).parent
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
    "img-src data: blob:; connect-src 'none'"
)


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
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    draw = (_HERE / "page.js").read_text(encoding="utf-8")
    title = escape(record.title)
    course = f"{_architecture(answer)}{_costs(record)}{_learning(record)}{_probabilities(record, answer)}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title} · hwnas</title><style>{style}</style></head><body><main>"
        f'<header><p class="eyebrow">hwnas search · {title}</p>'
        f"<h1>{escape(unbroken(said.headline(record, facts)))}</h1>"
        f"{_summary(record, facts, verified)}</header>"
        "<noscript><p>The plots of this page need JavaScript; its tables do not.</p></noscript>"
        f"{course}{_method(record)}</main>"
        f"<script>{get_plotlyjs()}</script><script>{draw}</script></body></html>\n"
    )


def _summary(record: DifferentiableRecord, facts: Facts, verified: Candidate | None) -> str:
    items = [
        m.Tile(label(name), said.cost(name, value), said.against_target(record.targets, name, value))
        for name, value in facts.costs.items()
    ]
    items += [*_verified_tiles(verified), *_course_tiles(record)]
    shown = f"{m.tiles(items)}<h3>Architecture</h3><pre>{escape(record.architecture)}</pre>"
    return shown + ("" if verified is None else _file(verified))


def _file(verified: Candidate) -> str:
    reason = m.note(f"It could not be verified: {verified.reason}") if verified.reason else ""
    if not verified.onnx:
        return reason
    weights = "its own training" if "accuracy" in verified.measured else "the supernet"
    return f"<p>ONNX file: {m.link(verified.onnx)}, with weights of {weights}</p>{reason}"


def _verified_tiles(verified: Candidate | None) -> list[m.Tile]:
    if verified is None:
        return []
    known = {
        "accuracy": ("test accuracy", "of the trained network"),
        "latency_ms": ("measured latency", "of the ONNX file"),
    }
    return [
        m.Tile(
            known[name][0], format_quantity(value, {"accuracy": "fraction"}.get(name, "ms")), known[name][1]
        )
        for name, value in verified.measured.items()
        if name in known
    ]


def _course_tiles(record: DifferentiableRecord) -> list[m.Tile]:
    seconds = sum(epoch.seconds for epoch in record.epochs)
    memory = max(epoch.peak_memory_bytes for epoch in record.epochs)
    tiles = [m.Tile("epochs", said.epochs_of(record).removesuffix(" epochs"), f"{seconds / 60:.1f} minutes")]
    accuracy = record.epochs[-1].validation_accuracy
    if accuracy is not None:
        tiles.append(m.Tile("supernet", percent(accuracy), "validation accuracy"))
    return [*tiles, m.Tile("peak memory", said.cost("peak_bytes", memory), "of a step")]


def _architecture(answer: Answer | None) -> str:
    title = "The derived architecture"
    if answer is None:
        return m.section(
            title, m.note("It is of a space of somebody's own: name it with --space to draw it.")
        )
    drawn = drawings(answer)
    parts = [f"<h3>{escape(one.title)}</h3>{svg(one)}" for one in drawn]
    return m.section(title, m.caption(said.CELL if "cell" in drawn[0].title else said.CHAIN), *parts)


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
        f"<h3>Skips of the derived architecture</h3>{m.plot('skips', 'Skips over the epochs', skips, '')}",
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
        lines = [("", [m.long(name), m.long(text)]) for name, text in flattened(settings)]
        parts += [f"<h3>{title}</h3>", m.table([], lines, "settings")]
    return m.section("Epochs and settings", *parts)
