"""What ``python3 runner.pyz`` does on the device: measure the bundle that lies beside it.

This module and all it imports travel to the device: standard library, numpy and onnxruntime only.
"""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path

from hwnas.latency.devices.device import Identity, RunnerDiedError
from hwnas.latency.devices.ort_cpu import OrtCpu
from hwnas.latency.measuring.groups import measure_subjects
from hwnas.latency.measuring.journal import Journal
from hwnas.latency.measuring.progress import Progress
from hwnas.latency.remote.manifest import RESULTS, read_manifest

_SILENCE = 15.0


def main() -> None:
    """Measure; exit code 2 and one line for what the person at the device can mend."""
    try:
        measure_bundle(Path(sys.argv[0]).resolve().parent)
    except KeyboardInterrupt:
        _stop("\nstopped; the same command goes on from here", 130)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _stop(f"error: {where}{error.strerror or error}", 2)
    except (ValueError, RunnerDiedError) as error:
        _stop(f"error: {error}", 2)


def measure_bundle(folder: Path) -> None:
    """Measure what is missing in the folder's ``results.jsonl``, and say what to do then."""
    manifest = read_manifest(folder)
    device = PreparedCpu(**asdict(manifest.options), protocol=manifest.protocol)

    def open_journal(identity: Identity) -> Journal:
        return Journal(identity, folder, manifest.space, name=RESULTS)

    journal = measure_subjects(
        [model.subject(folder) for model in manifest.models],
        device,
        open_journal,
        sentinels=manifest.sentinel_models(folder),
        progress=Line(),
        seed=manifest.seed,
    )
    failed = [entry for entry in journal.entries.values() if entry.failed]
    for entry in failed:
        print(f"failed: {entry.name}: {entry.reason}")
    print(f"{len(manifest.models) - len(failed)} of {len(manifest.models)} models are measured.")
    print(f"Bring {folder / RESULTS} back into the bundle's folder at home; there:")
    print("  hwnas bundle --read BUNDLE --out latency_tables/NAME")


class PreparedCpu(OrtCpu):
    """The processor under onnxruntime, given models that were prepared where the bundle was written."""

    def prepare(self, model: bytes) -> bytes:
        """The model itself."""
        return model


class Line:
    """Progress as one line that changes in a terminal, and as a line every 15 seconds elsewhere."""

    def __init__(self) -> None:
        self._said = time.monotonic() - _SILENCE

    def __call__(self, progress: Progress) -> None:
        """Show how far the measurement is."""
        text = f"[{progress.done}/{progress.total}] {progress.message}"
        if sys.stderr.isatty():
            end = "\n" if progress.message == "done" else ""
            print(f"\r\033[K{text[:100]}", end=end, file=sys.stderr, flush=True)
        elif time.monotonic() - self._said >= _SILENCE:
            self._said = time.monotonic()
            print(text, file=sys.stderr, flush=True)


def _stop(message: str, code: int) -> None:
    print(message, file=sys.stderr)
    sys.exit(code)
