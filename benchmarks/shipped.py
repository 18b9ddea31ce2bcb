"""Make the tables and predictors that ship: `python -m benchmarks.shipped measure|fit names...`.

`measure` takes about five minutes a table on a quiet machine of the table's name and goes on where it was
stopped; tables of two threads want nothing else running. `fit` chooses for each table the kind of predictor
with the least held-out error and writes the READMEs.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwnas.latency import FittedPredictor, LatencyTable, Progress, device, fit, measure
from hwnas.latency.predictors import kinds
from hwnas.latency.tables.table_files import META
from hwnas.spaces import MobileNetV2, NASBench201, OFAMobileNetV3, SearchSpace
from hwnas.spaces.coverage import distinct_blocks

ROOT = Path(__file__).resolve().parents[1]
TABLES, PREDICTORS = ROOT / "latency_tables", ROOT / "predictors"
NETWORKS = 60
WITH_BLOCKS: tuple[SearchSpace, ...] = (NASBench201(), MobileNetV2(resolution=96, classes=10))
SPACES: tuple[SearchSpace, ...] = (*WITH_BLOCKS, OFAMobileNetV3())


@dataclass(frozen=True)
class Shipped:
    """One table: a space on a device with these options; `setup` names machine, runtime and options."""

    space: SearchSpace
    setup: str
    device: str
    options: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.setup}-{self.space.name}"


def _of_processor(threads: int, precision: str, space: SearchSpace) -> Shipped:
    """Intel family 6, model 167; two cores of a virtual machine."""
    setup = f"xeon-rocket-lake-{threads}t-{precision}"
    return Shipped(space, setup, "ort-cpu", {"threads": threads, "precision": precision})


def _of_gpu(precision: str, space: SearchSpace) -> Shipped:
    """NVIDIA H100 under torch; each network is one CUDA graph: else the launches of its kernels are timed."""
    return Shipped(
        space, f"h100-torch-graphs-{precision}", "torch-cuda", {"precision": precision, "graphs": True}
    )


ALL = {
    one.name: one
    for one in (
        *(_of_processor(t, p, space) for t in (2, 1) for p in ("fp32", "int8") for space in SPACES),
        *(_of_gpu(precision, space) for precision in ("fp32", "fp16") for space in WITH_BLOCKS),
    )
}


def measured(one: Shipped) -> LatencyTable:
    """Sixty random networks of the space, and all its blocks where these are hundreds and not thousands."""
    on = device(one.device, **one.options)
    blocks = distinct_blocks(one.space, seed=0).values() if one.space in WITH_BLOCKS else False
    folder = TABLES / one.name
    table = measure(
        one.space.sample(NETWORKS, seed=0),
        on,
        blocks=blocks,
        folder=folder,
        progress=_say,
        space=str(one.space),
    )
    (folder / "journal.jsonl").unlink(missing_ok=True)
    return table


def _say(progress: Progress) -> None:
    print(
        f"\r{progress.done}/{progress.total} {progress.message:<60.60}", end="", file=sys.stderr, flush=True
    )


def best(table: LatencyTable) -> tuple[FittedPredictor, dict[str, FittedPredictor]]:
    """The predictor of least held-out error, and all of them."""
    found = {}
    for kind in kinds():
        try:
            found[kind] = fit(table, kind)
        except ValueError as error:
            print(f"  {kind}: {error}", file=sys.stderr)
    judged = {kind: one for kind, one in found.items() if one.held_out is not None}
    return min(judged.values(), key=lambda one: one.held_out.mape), judged


def write(one: Shipped) -> None:
    """Fit on the table, keep the best predictor, and write both READMEs."""
    table = LatencyTable.load(TABLES / one.name)
    chosen, judged = best(table)
    shutil.rmtree(PREDICTORS / one.name, ignore_errors=True)
    chosen.save(PREDICTORS / one.name)
    (TABLES / one.name / "README.md").write_text(_about_table(one, table, judged), encoding="utf-8")
    (PREDICTORS / one.name / "README.md").write_text(_about_predictor(one, table, chosen), encoding="utf-8")


def _about_table(one: Shipped, table: LatencyTable, judged: dict[str, FittedPredictor]) -> str:
    identity, seen = table.meta.identity, table.meta.environment
    protocol = identity.protocol
    runs = protocol.passes * protocol.rounds * protocol.chunk
    entries = [entry for entry in table if not entry.failed]
    latencies = sorted(entry.latency_ms for entry in table.networks if not entry.failed)
    flagged = {
        flag: sum(flag in entry.flags for entry in entries)
        for flag in ("unstable", "drifted", "rescaled", "grouped")
    }
    options = ", ".join(f"{name} {value}" for name, value in identity.runtime.options.items())
    rows = [
        f"| {kind} | {fitted.held_out.n} | {100 * fitted.held_out.mape:.2f} % "
        f"| {100 * fitted.held_out.within_5:.0f} % | {fitted.held_out.spearman:.3f} |"
        for kind, fitted in judged.items()
        if fitted.held_out
    ]
    return "\n".join(
        [
            f"# {one.name}",
            "",
            f"{len(latencies)} random networks of `{one.space}` and {len(table.blocks)} blocks; the networks "
            f"take {latencies[0]:.3f} to {latencies[-1]:.3f} ms.",
            "",
            f"- Device: {identity.device.model}, {identity.device.threads} of {identity.device.cores} cores, "
            f"{'a virtual machine' if identity.device.virtual else 'no virtual machine'}.",
            f"- Runtime: {identity.runtime.name} {identity.runtime.version}, {identity.runtime.precision}, "
            f"{identity.runtime.provider}; {options}.",
            f"- Protocol: `{protocol.id}`: the 10th percentile of at least {runs} runs, interleaved, in "
            f"{protocol.passes} passes or more.",
            f"- When: {seen.utc_start} to {seen.utc_end}; load average {seen.load_min} to {seen.load_max} "
            f"(its own included), wall over CPU time {seen.wall_cpu_ratio}.",
            f"- Flags: {', '.join(f'{count} {flag}' for flag, count in flagged.items())} of {len(entries)}.",
            f"- Energy: {seen.energy}.",
            "",
            "Held-out error of predictors fitted on it, in five folds:",
            "",
            "| kind | networks | MAPE | within ±5 % | Spearman |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"Made by `python -m benchmarks.shipped measure {one.name}`.",
            "",
        ]
    )


def _about_predictor(one: Shipped, table: LatencyTable, chosen: FittedPredictor) -> str:
    held_out = chosen.held_out
    assert held_out is not None
    return "\n".join(
        [
            f"# {one.name}",
            "",
            f"A `{chosen.kind}` predictor of `{one.space}`, fitted on {chosen.card.networks} networks of "
            f"`latency_tables/{one.name}` ({table.meta.identity.device.model}, "
            f"{_options(one)}).",
            "",
            f"Held out in five folds: {held_out}.",
            "",
            f"Made by `python -m benchmarks.shipped fit {one.name}`: the kind of least held-out error.",
            "",
        ]
    )


def _options(one: Shipped) -> str:
    return ", ".join(f"{name} {value}" for name, value in one.options.items())


def main() -> None:
    """Measure or fit what is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("measure", "fit"))
    parser.add_argument("names", nargs="+", metavar="name")
    options = parser.parse_args()
    unknown = set(options.names) - set(ALL)
    if unknown:
        parser.error(f"unknown {', '.join(sorted(unknown))}; known: {', '.join(ALL)}")
    for name in options.names:
        if options.what == "measure" and not (TABLES / name / META).exists():
            table = measured(ALL[name])
            print(f"\n{name}: {len(table)} entries", file=sys.stderr)
        if options.what == "fit":
            write(ALL[name])
            print(name, file=sys.stderr)


if __name__ == "__main__":
    main()
