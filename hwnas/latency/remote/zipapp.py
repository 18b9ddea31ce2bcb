"""The runner as one file: a zipapp of the very modules that measure here."""

from __future__ import annotations

import hashlib
import io
import zipfile
from functools import cache

from hwnas.latency.remote.closure import EMPTY, ROOT, closure

START = "hwnas.latency.remote.start"
ROOTS = (
    "hwnas.latency.remote.runner",
    "hwnas.latency.timing.worker",
    "hwnas.latency.timing.onnxruntime_backend",
)
"""The modules that are started or imported by name."""

_DATE = (1980, 1, 1, 0, 0, 0)


@cache
def runner_pyz() -> bytes:
    """The file: equal sources make equal bytes. It needs Python 3.10, numpy and onnxruntime.

    ``python3 runner.pyz`` measures the bundle beside it; ``python3 runner.pyz worker CONFIG`` is the
    worker process of `hwnas.latency.timing.worker`.
    """
    modules = closure(*ROOTS)
    contents = {
        str(path.relative_to(ROOT.parent).as_posix()): b"" if name in EMPTY else path.read_bytes()
        for name, path in modules.items()
    }
    contents["__main__.py"] = closure(START)[START].read_bytes()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in sorted(contents.items()):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_STORED  # deflate differs between versions of zlib
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return file.getvalue()


def runner_digest() -> str:
    """What names the runner: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(runner_pyz()).hexdigest()[:16]
