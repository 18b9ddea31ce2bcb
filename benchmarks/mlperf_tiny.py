"""Published latencies of microcontrollers against counted instructions times one constant for each board.

    python -m benchmarks.mlperf_tiny

prints each published row, what the constant gives, and the rows of `constants.csv`. The networks of MLPerf
Tiny are read from `mcu/models` of the test data; MCUNet's are built (with float input, as published).
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.public_latencies import DATA
from hwnas.cost.boards import boards as known_boards
from hwnas.latency.instructions.constants import COLUMNS
from hwnas.latency.instructions.counting import instructions
from hwnas.latency.instructions.predictor import NS_PER_MS
from hwnas.latency.instructions.shipped import shipped
from hwnas.latency.instructions.table import InstructionTable
from hwnas.network.program.lower import lower
from hwnas.network.tflite import read_tflite
from hwnas.spaces.mcunet import MCUNet
from hwnas.spaces.mcunet_published import PUBLISHED

ROWS = Path(__file__).parents[1] / "tests" / "reference" / "mcu_latency.csv"
FILES = {
    "ic": "mlperf_pretrainedResnet_quant",
    "vww": "mlperf_vww_96_int8",
    "kws": "mlperf_kws_ref_model",
}
CHIPS = {"nucleo-l4r5zi": "stm32l4r5", "nrf5340-dk": "nrf5340", "disco-f746ng": "stm32f746"}
NEAREST = {"Cortex-M4": "stm32l4r5", "Cortex-M33": "nrf5340"}


def published() -> list[dict[str, str]]:
    """The rows of the reference file, their boards by the name in `hwnas list boards`."""
    rows = list(csv.DictReader(ROWS.read_text().splitlines()))
    return [row | {"board": CHIPS.get(row["board"], row["board"])} for row in rows]


def counts(folder: Path = DATA) -> dict[str, float]:
    """Counted instructions of the networks with convolutions, by name."""
    table = InstructionTable.load(shipped())
    found = {
        name: instructions(read_tflite(folder / "mcu" / "models" / f"{file}.tflite").program, table)
        for name, file in FILES.items()
    }
    for name, (settings, text) in PUBLISHED.items():
        network = MCUNet(**settings).parse(text).network
        found[name] = instructions(lower(network, float_input=True), table)
    return found


def measured_rows() -> dict[str, list[dict[str, str]]]:
    """The rows of CMSIS-NN by board; not the autoencoder's, whose weights come from flash at every use."""
    found = defaultdict(list)
    for row in published():
        if "CMSIS-NN" in row["runtime"] and row["network"] != "ad":
            found[row["board"]].append(row)
    return found


def fitted(counted: dict[str, float]) -> dict[str, float]:
    """Nanoseconds per instruction of the boards with published latencies: of the smallest largest error.

    With three to five networks there is no more to be said than how far the worst of them is off.
    """
    found = {}
    for board, rows in measured_rows().items():
        ratios = [counted[row["network"]] / NS_PER_MS / float(row["latency_ms"]) for row in rows]
        found[board] = 2 / (min(ratios) + max(ratios))
    return found


def ratio_of_f746() -> float:
    """Latency of DISCO_F746NG over that of NUCLEO_L4R5ZI in one runtime: geometric mean of three networks."""
    plumerai = {
        (r["board"], r["network"]): float(r["latency_ms"]) for r in published() if r["runtime"] == "Plumerai"
    }
    ratios = [plumerai["stm32f746", name] / plumerai["stm32l4r5", name] for name in FILES]
    return float(np.exp(np.log(ratios).mean()))


def constant_rows(constants: dict[str, float]) -> Iterator[tuple[str, str, str, str]]:
    """The rows of `constants.csv`."""
    measured = measured_rows()
    for name, rows in measured.items():
        first, names = rows[0], ", ".join(f"{row['network']} {row['latency_ms']}" for row in rows)
        source = f"fitted on published latencies with {first['runtime']}: {names} ms; {first['source']}"
        yield name, f"{constants[name]:.3f}", "no", source
    f746 = constants["stm32l4r5"] * ratio_of_f746()
    for name, board in known_boards().items():
        if name in constants or board.core not in (*NEAREST, "Cortex-M7"):
            continue
        clock = board.clock_mhz
        if board.core == "Cortex-M7":
            value = f746 * 216 / clock
            source = (
                "estimate: stm32l4r5's constant times DISCO_F746NG's published latency over NUCLEO_L4R5ZI's "
                "in Plumerai's runtime (MLPerf Tiny v1.0: ic, kws, vww)"
            )
            source += "" if clock == 216 else f"; times 216 / {clock:g} MHz"
        else:
            near = NEAREST[board.core]
            base = float(measured[near][0]["clock_mhz"])
            value = constants[near] * base / clock
            source = f"estimate: {near}'s constant times {base:g} / {clock:g} MHz, the ratio of the clocks"
        yield name, f"{value:.3f}", "yes", source


def main() -> None:
    counted = counts()
    constants = fitted(counted)
    table = Table("board", "network", "published ms", "predicted ms", "difference", box=None, pad_edge=False)
    for board, rows in measured_rows().items():
        for row in rows:
            ms, predicted = float(row["latency_ms"]), counted[row["network"]] * constants[board] / NS_PER_MS
            table.add_row(
                board, row["network"], f"{ms:g}", f"{predicted:.2f}", f"{100 * (predicted / ms - 1):+.1f} %"
            )
    Console(width=110).print(table)
    print("\n" + ",".join(COLUMNS))
    for *fields, source in constant_rows(constants):
        print(",".join([*fields, f'"{source}"']))


if __name__ == "__main__":
    main()
