"""A folder as Linux shows it under /sys/class/powercap, with real files."""

import threading
import time
from pathlib import Path


def zone(root: Path, name: str, domain: str, energy: int | str = 0, turn: int = 262_143_328_850) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    for file, value in {"name": domain, "energy_uj": energy, "max_energy_range_uj": turn}.items():
        (folder / file).write_text(f"{value}\n")
    return folder


class Counting:
    """Lets the counter of a zone run at so many watts while the block lasts."""

    def __init__(self, folder: Path, watts: float, turn: int):
        self.folder, self.watts, self.turn = folder, watts, turn
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        start, fresh = time.perf_counter(), self.folder / "fresh"
        while not self.ended.wait(0.001):
            fresh.write_text(f"{int(1e6 * self.watts * (time.perf_counter() - start)) % self.turn}\n")
            fresh.replace(self.folder / "energy_uj")

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *error):
        self.ended.set()
        self.thread.join()
