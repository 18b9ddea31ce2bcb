"""How well the look-up predicts, on the tables that ship: corrected on few networks, judged on the others.

A correction on five networks is refused where latencies do not grow with the sums of their blocks, as can
happen where blocks of microseconds mostly cost their calls (NAS-Bench-201); the row says how often.
"""

from __future__ import annotations

import numpy as np

from benchmarks.shipped import ALL, TABLES
from benchmarks.timing import Row
from hwnas.latency import LatencyTable, fit
from hwnas.latency.predictors.validate import HeldOutError, held_out_error
from hwnas.latency.tables.table_files import META
from hwnas.spaces import SearchSpace

CORRECTED_ON, DRAWS = 5, 5


def rows() -> list[Row]:
    found = []
    for name, one in ALL.items():
        if not (TABLES / name / META).exists():
            continue
        table = LatencyTable.load(TABLES / name)
        if table.blocks:
            errors = [error for draw in range(DRAWS) if (error := _error(table, one.space, draw))]
            what = f"look-up of {name}, corrected on {CORRECTED_ON} networks, {DRAWS - len(errors)} refused"
            mape = float(np.mean([error.mape for error in errors]))
            within_5 = float(np.mean([error.within_5 for error in errors]))
            found.append(Row(f"{what}: MAPE", f"{100 * mape:.2f} %", "<= 1.5 %", mape <= 0.015))
            found.append(Row(f"{what}: within 5 %", f"{100 * within_5:.0f} %", ">= 98 %", within_5 >= 0.98))
    return found


def _error(table: LatencyTable, space: SearchSpace, draw: int) -> HeldOutError | None:
    networks = [entry for entry in table.networks if not entry.failed]
    order = np.random.default_rng(draw).permutation(len(networks))
    seen = {networks[i].key for i in order[:CORRECTED_ON]}
    kept = {k: entry for k, entry in table.entries.items() if entry.kind != "network" or k in seen}
    try:
        predictor = fit(LatencyTable(table.meta, kept), "lookup", space=space)
    except ValueError:
        return None
    others = [networks[i] for i in order[CORRECTED_ON:]]
    predicted = predictor.predict([space.parse(entry.name) for entry in others])
    return held_out_error(predicted, np.array([entry.latency_ms for entry in others]))
