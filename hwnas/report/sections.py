"""The sections of the page, in the order in which they are read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from hwnas.report import derived, figures, intervals
from hwnas.report import markup as m
from hwnas.report.derived import ACCURACY, FAILED, FEASIBLE, INFEASIBLE, LATENCY, metric_info
from hwnas.report.headline import trainings_of, trials_of
from hwnas.report.scatter import scatter
from hwnas.report.text import count, described, flattened, label, percent, quantity
from hwnas.search.records import BlockShare, Candidate, MetricInfo, RunRecord
from hwnas.search.spending import full_trainings

_REASONS = 8


def summary(record: RunRecord) -> str:
    """The answer's numbers, and its architecture."""
    candidate = derived.answer(record)
    if candidate is None:
        return m.tiles([_trials_tile(record)]) if record.trials else ""
    names = [LATENCY, ACCURACY, record.maximize, "params", "macs", "flops", *record.bounds]
    known = [n for n in dict.fromkeys(names) if not math.isnan(derived.known(candidate, n))]
    items = [_tile(record, candidate, name) for name in known]
    which = "Architecture" if record.winner is not None else "Architecture of the nearest candidate"
    parts = [m.tiles([*items, _trials_tile(record)]), f"<h3>{which}</h3>"]
    return "".join([*parts, f"<pre>{escape(candidate.architecture)}</pre>", _onnx_line(candidate)])


def trade_off(record: RunRecord) -> str:
    """Score against cost."""
    cost, score = derived.cost_axis(record), derived.score_axis(record)
    title = f"{label(score.metric.name)} against {label(cost.metric.name) if cost else 'cost'}"
    text = _trade_off_caption(record)
    drawn = m.plot("scatter", title, scatter(record), "No trial has both a cost and a score to draw.")
    return m.section(title[0].upper() + title[1:], m.caption(text), drawn)


def progress(record: RunRecord) -> str:
    """How the search advanced, and what it rejected."""
    points, score = derived.cloud(record), derived.score_axis(record)
    tally = {s: int((points.state == s).sum()) for s in (FEASIBLE, INFEASIBLE, FAILED)}
    text = f"{trials_of(len(record.trials))}: " + ", ".join(f"{n:,} {s}" for s, n in tally.items()) + "."
    best = derived.best_trial(record)
    if best is not None:
        value = quantity(best.metrics[record.maximize], score.metric)
        text += f" The best feasible {label(score.metric.name)}, {value}, was found in trial {best.number:,}."
    drawn = m.plot("progress", "Best feasible value so far", figures.progress(record), "No trials.")
    return m.section("Progress of the search", m.caption(text), drawn, _rejections(record))


def verification(record: RunRecord) -> str:
    """Predicted against measured latency, and all candidates."""
    title = "Verification: predicted and measured" if _has_latency(record) else "The candidates"
    if not record.candidates:
        return m.section(title, m.note("The run has no candidates: nothing was trained or measured."))
    if not _has_latency(record):
        return m.section(title, m.caption(_verification_caption(record)), _candidates(record))
    drawn = m.plot(
        "agreement",
        "Measured against predicted latency",
        figures.agreement(record),
        "No candidate has both a predicted and a measured latency.",
    )
    errors = m.tiles(_error_tiles(record))
    plot = f'<div class="beside"><div>{drawn}</div>{errors}</div>' if errors else drawn
    return m.section(title, m.caption(_verification_caption(record)), plot, _candidates(record))


def blocks(record: RunRecord) -> str:
    """Where the answer's latency goes."""
    candidate = derived.answer(record)
    which = "winning" if record.winner is not None else "nearest"
    title = f"The {which} network, block by block" if candidate else "Block by block"
    if candidate is None or not candidate.blocks:
        return m.section(title, m.note("No blocks were recorded."))
    drawn = m.plot(
        "blocks",
        "Share of latency and MACs of each block",
        figures.blocks(candidate.blocks),
        "The blocks have neither latency nor MACs.",
    )
    return m.section(title, m.caption(_blocks_caption(candidate)), drawn, _blocks_table(candidate.blocks))


def method(record: RunRecord) -> str:
    """How it was measured, and the settings that repeat it."""
    both = {**record.config, **record.environment}
    facts = [
        m.Tile(n.capitalize(), described(both[n]))
        for n in ("device", "runtime", "protocol", "seed")
        if n in both
    ]
    command = record.config.get("command")
    parts = [m.tiles(facts)]
    if command:
        parts.append(f"<h3>Command</h3><pre>{escape(described(command))}</pre>")
    for title, settings in (
        ("Device and software", record.environment),
        ("Settings of the search", record.config),
    ):
        rows = [("", [m.long(key), m.long(text)]) for key, text in flattened(settings) if key != "command"]
        if rows:
            parts += [f"<h3>{title}</h3>", m.table([], rows, "settings")]
    if not (record.environment or record.config):
        parts.append(m.note("The run recorded neither its environment nor its settings."))
    return m.section("How it was measured", *parts)


def _tile(record: RunRecord, candidate: Candidate, name: str) -> m.Tile:
    value, info = derived.known(candidate, name), metric_info(record, name)
    remarks = []
    if name in (LATENCY, ACCURACY):
        remarks.append("measured" if name in candidate.measured else "predicted")
    if name in record.bounds:
        remarks.append(f"budget {quantity(record.bounds[name], info)}")
    return m.Tile(label(name), quantity(value, info), ", ".join(remarks))


def _trials_tile(record: RunRecord) -> m.Tile:
    feasible = sum(derived.state(trial, record.bounds) == FEASIBLE for trial in record.trials)
    evaluated = trainings_of(full_trainings(record.trials, record.maximize), record.maximize)
    return m.Tile("trials", f"{len(record.trials):,}", f"{feasible:,} feasible; {evaluated}")


def _onnx_line(candidate: Candidate) -> str:
    return f"<p>ONNX file: {m.link(candidate.onnx)}</p>" if candidate.onnx else ""


def _trade_off_caption(record: RunRecord) -> str:
    points = derived.cloud(record)
    missing = int((~np.isfinite(points.cost)).sum())
    text = "Each point is a trial as the search estimated it; hover to see its architecture."
    levels = {one.level for candidate in record.candidates for one in candidate.intervals.values()}
    if levels:
        text += f" Predicted costs are upper bounds that hold with {100 * max(levels):g} % probability."
    if record.candidates:
        text += " Verified candidates stand at their measured values, where there are any."
    if points.unscored().any():
        text += " Ticks along the bottom: trials without a score, most of them rejected by their cost first."
    if missing:
        text += f" {missing:,} of {len(record.trials):,} trials have no cost and are not drawn."
    return text


def _rejections(record: RunRecord) -> str:
    found, total = derived.rejections(record), max(1, len(record.trials))
    if not found:
        return ""
    if len(found) > _REASONS:
        rest = sum(number for _, number in found[_REASONS:])
        found = [*found[:_REASONS], (f"{len(found) - _REASONS} other reasons", rest)]
    rows = [("", [m.long(why[:300]), m.number(f"{n:,}"), m.number(percent(n / total))]) for why, n in found]
    heads = [m.name("Rejected because"), m.number("trials"), m.number("share")]
    return m.table(heads, rows)


def _error_tiles(record: RunRecord) -> list[m.Tile]:
    names = {
        "mape": "mean error, held out",
        "within_5": "within ± 5 %, held out",
        "within_10": "within ± 10 %, held out",
        "spearman": "rank correlation, held out",
        "covered": "within the 90 % interval, held out",
        "half_width": "± of the 90 % interval, held out",
    }
    known = {key: value for key, value in record.predictor_error.items() if not math.isnan(value)}
    return [
        m.Tile(names.get(key, key), f"{value:.3f}" if key == "spearman" else percent(value))
        for key, value in known.items()
    ]


def _verification_caption(record: RunRecord) -> str:
    found = derived.comparison(record)
    kept = sum(candidate.satisfies for candidate in record.candidates)
    how = " as measured" if any(candidate.measured for candidate in record.candidates) else ""
    text = f"{kept} of {len(record.candidates)} candidates satisfy every constraint{how}."
    if found.position:
        error = float(np.mean(np.abs(found.measured / found.predicted - 1)))
        text += f" Their measured latency deviates from the predicted one by {percent(error)} on average."
    said = [text, intervals.coverage_sentence(record.candidates), intervals.drift_warning(record.candidates)]
    plot = "Numbers in the plot are rows of the table." if found.position else ""
    return " ".join(filter(None, [*said, plot]))


def _candidates(record: RunRecord) -> str:
    known = {name for c in record.candidates for name in (*c.predicted, *c.measured)}
    names = [n for n in dict.fromkeys([ACCURACY, record.maximize, "params", *record.bounds]) if n in known]
    names = [n for n in names if n != LATENCY]
    heads = [m.name("#")]
    if _has_latency(record):
        heads += [m.number("predicted"), m.number("measured"), m.number("deviation")]
    heads += [m.number("interval"), m.name("in interval")] if _have_intervals(record) else []
    heads += [m.number("before rescaling")] if _were_rescaled(record) else []
    heads += [m.number(label(name)) for name in names]
    heads += [m.name("within budget"), m.name("ONNX"), m.name("architecture")]
    return m.table(heads, [_candidate_row(record, i, names) for i in range(len(record.candidates))])


def _candidate_row(record: RunRecord, index: int, names: list[str]) -> tuple[str, list[m.Cell]]:
    candidate, latency = record.candidates[index], metric_info(record, LATENCY)
    won = index == record.winner
    kept = ("yes", "good") if candidate.satisfies else ("no", "bad")
    cells = [
        m.name(f"{index + 1} ★" if won else f"{index + 1}"),
        *(_latency_cells(candidate, latency) if _has_latency(record) else ()),
        *_interval_cells(record, candidate),
        *(m.number(quantity(derived.known(candidate, name), metric_info(record, name))) for name in names),
        m.Cell(f"{'✓' if candidate.satisfies else '✗'} {kept[0]}", kept[1]),
        m.Cell(m.link(candidate.onnx) if candidate.onnx else "–", "name"),
        m.folded(candidate.architecture),
    ]
    return ("winner" if won else ""), cells


def _latency_cells(candidate: Candidate, latency: MetricInfo) -> list[m.Cell]:
    return [
        m.number(quantity(candidate.predicted.get(LATENCY), latency)),
        m.number(quantity(candidate.measured.get(LATENCY), latency)),
        m.number(percent(derived.deviation(candidate), signed=True)),
    ]


def _has_latency(record: RunRecord) -> bool:
    return any(LATENCY in {**one.predicted, **one.measured} for one in record.candidates)


def _have_intervals(record: RunRecord) -> bool:
    return any(LATENCY in candidate.intervals for candidate in record.candidates)


def _were_rescaled(record: RunRecord) -> bool:
    return any(candidate.flag == "rescaled" for candidate in record.candidates)


def _interval_cells(record: RunRecord, candidate: Candidate) -> list[m.Cell]:
    cells = []
    if _have_intervals(record):
        cells += [
            m.number(intervals.interval_text(candidate, LATENCY)),
            m.name(intervals.within_text(candidate, LATENCY)),
        ]
    if _were_rescaled(record):
        before = candidate.as_measured_ms if candidate.flag == "rescaled" else None
        cells.append(m.number(quantity(before, metric_info(record, LATENCY))))
    return cells


def _blocks_caption(candidate: Candidate) -> str:
    times = [b.latency_ms for b in candidate.blocks if b.latency_ms is not None]
    if not times:
        return "1 MAC = 2 FLOPs. The blocks' latency was not measured."
    text = "Where the two bars differ, a block is slower or faster than its MACs suggest. 1 MAC = 2 FLOPs."
    text += f" The blocks' latencies add up to {sum(times):.3g} ms"
    whole = candidate.measured.get(LATENCY, math.nan)
    return text + ("." if math.isnan(whole) else f"; the whole network was measured at {whole:.3g} ms.")


def _blocks_table(found: Sequence[BlockShare]) -> str:
    latency = derived.shares(block.latency_ms for block in found)
    times = [block.latency_ms for block in found if block.latency_ms is not None]
    heads = [m.name("block"), *([m.number("latency"), m.number("share")] if times else [])]
    heads += [m.number("MACs"), m.number("FLOPs")]
    heads += [m.number("params"), m.number("output shape"), m.name("operators")]
    rows = [
        ("", _block_row(block, share if times else None))
        for block, share in zip(found, latency.tolist(), strict=True)
    ]
    total = BlockShare(
        "sum", "", (), sum(b.macs for b in found), sum(b.params for b in found), sum(times) if times else None
    )
    return m.table(heads, [*rows, ("total", _block_row(total, 1.0 if times else None))])


def _block_row(block: BlockShare, share: float | None) -> list[m.Cell]:
    """Cells of a block; without its latency where no block has a share of it."""
    time = "–" if block.latency_ms is None else f"{block.latency_ms:.3g} ms"
    return [
        m.name(block.name),
        *([] if share is None else [m.number(time), m.number(percent(share))]),
        m.number(count(block.macs)),
        m.number(count(2 * block.macs)),
        m.number(count(block.params)),
        m.number(" × ".join(str(size) for size in block.output_shape)),
        m.long(block.operators),
    ]
