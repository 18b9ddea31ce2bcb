"""The folder of a run: its configuration, its lock, its files."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from hwnas.files import write_whole
from hwnas.search.store import CorruptRunError, TrialStore

CONFIG = "config.json"
ENVIRONMENT = "environment.json"
TRIALS = "trials.sqlite"
RESULTS = "results.csv"
NETWORKS = "networks"
OUTCOME = "outcome.json"


class RunInUseError(ValueError):
    """Another process is searching in the same folder."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder` for one search, which is left behind only with something in it.

    Raises:
        RunInUseError: another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / ".lock"
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunInUseError(f"another search is running in {folder}") from None
        try:
            yield
        finally:
            if list(folder.iterdir()) == [lock]:
                lock.unlink()
                folder.rmdir()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    write_whole(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; raises CorruptRunError naming the file where there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CorruptRunError(f"{path.parent} is no run folder: {path.name} is missing") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise CorruptRunError(f"{path} is damaged: {error}") from error
    if not isinstance(content, dict):
        raise CorruptRunError(f"{path} is damaged: an object expected")
    return content


def claim(folder: Path, config: Mapping[str, Any]) -> None:
    """Write the configuration of a new run, or check that a present one is the same.

    Raises:
        ValueError: the folder holds a run with other settings; names them.
        CorruptRunError: its configuration cannot be read, or its trials are gone.
    """
    path = folder / CONFIG
    wanted = json.loads(json.dumps(config))
    if not path.exists():
        if (folder / TRIALS).exists():
            raise CorruptRunError(f"{folder} holds trials, but {CONFIG} is missing")
        write_json(folder / ENVIRONMENT, environment())
        write_json(path, wanted)
        return
    _check_trials(folder)
    _check_environment(folder)
    present = read_json(path)
    if different := _differences(present, wanted):
        raise ValueError(
            f"{folder} holds a run with other settings ({'; '.join(different)}); choose another folder"
        )


def recorded_ahead(folder: Path) -> int | None:
    """How many proposals the run in `folder` keeps under way; None where there is no run."""
    ahead = read_json(folder / CONFIG).get("ahead") if (folder / CONFIG).exists() else None
    return ahead if isinstance(ahead, int) else None


def _check_trials(folder: Path) -> None:
    """Refuse a run that was searched to its end and has lost its trials, which would begin anew."""
    if (folder / RESULTS).exists() and not _has_trials(folder / TRIALS):
        raise CorruptRunError(
            f"{folder} holds the {RESULTS} of a search, but {TRIALS} is missing or empty: restore it, or "
            "choose another folder"
        )


def _has_trials(path: Path) -> bool:
    if not path.exists() or not path.stat().st_size:
        return False
    with closing(TrialStore(path, read_only=True)) as store:
        return store.count() > 0


def _check_environment(folder: Path) -> None:
    """Write the record of the machine again where it is gone; raises CorruptRunError where it is damaged."""
    if (folder / ENVIRONMENT).exists():
        read_json(folder / ENVIRONMENT)
    else:
        write_json(folder / ENVIRONMENT, environment())


def _differences(present: Mapping[str, Any], wanted: Mapping[str, Any], within: str = "") -> list[str]:
    """`metrics.flash_bytes.runtime was tinyengine, now tflm`, for each setting that differs."""
    found = []
    for name in {**present, **wanted}:
        before, now = present.get(name), wanted.get(name)
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            found += _differences(before, now, f"{within}{name}.")
        elif name not in wanted:
            found.append(f"{within}{name} is left out")
        elif name not in present:
            found.append(f"{within}{name} is new")
        elif before != now:
            found.append(f"{within}{name} was {_plain(before)}, now {_plain(now)}")
    return found


def _plain(value: Any) -> str:
    return "none" if value is None else str(value)


def environment() -> dict[str, Any]:
    """Machine and versions, for the record."""
    return {
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "versions": {name: _version(name) for name in ("hwnas", "torch", "onnx", "onnxruntime", "numpy")},
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
