"""What a bundle holds: the models to measure, and how."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from hwnas.files import read_file
from hwnas.latency.measuring.subject import Subject
from hwnas.latency.records import from_plain, to_plain
from hwnas.latency.remote.options import CpuOptions
from hwnas.latency.tables.entry import Entry, check_space, failed_entry
from hwnas.latency.timing.protocol import Protocol

VERSION = 1
MANIFEST, RESULTS, RUNNER, README, MODELS = (
    "manifest.json",
    "results.jsonl",
    "runner.pyz",
    "README.txt",
    "models",
)
_LARGEST_MANIFEST = 1 << 26
_LARGEST_MODEL = (1 << 31) - 1


@dataclass(frozen=True)
class Model:
    """One model of a bundle; the fields are those of `hwnas.latency.tables.entry.Entry`."""

    key: str
    kind: str
    name: str
    onnx_sha256: str
    blocks: tuple[tuple[str, int], ...]
    flops: int | None
    params: int | None

    def __post_init__(self) -> None:
        self.entry("not measured")

    @property
    def file(self) -> str:
        """Its path in the bundle; the key is hex digits only."""
        return f"{MODELS}/{self.key}.onnx"

    def entry(self, reason: str) -> Entry:
        """A failed entry of this model, which checks its fields too."""
        failed = failed_entry(self.key, self.kind, self.name, reason, blocks=self.blocks)
        return replace(failed, flops=self.flops, params=self.params, onnx_sha256=self.onnx_sha256)

    def subject(self, folder: Path) -> Subject:
        """What is measured, in a bundle's folder."""
        model = partial(read_model, folder / self.file, self.onnx_sha256)
        return Subject(self.key, self.kind, self.name, model, self.blocks, self.flops, self.params)


@dataclass(frozen=True)
class Manifest:
    """The content of ``manifest.json``.

    Attributes:
        version: of this format.
        options: how onnxruntime is used; the models are already of this precision and batch.
        protocol: how models are timed.
        seed: of the order of the models.
        space: the search space that the names are architectures of, or None.
        onnx_version: of the library that wrote the models.
        sentinels: name -> SHA-256 of the model.
        models: what is measured.

    Raises:
        ValueError: another version, a space or sentinel of no printable name, or a key that occurs twice.
    """

    version: int
    options: CpuOptions
    protocol: Protocol
    seed: int
    space: str | None
    onnx_version: str
    sentinels: dict[str, str]
    models: tuple[Model, ...]

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise ValueError(f"version is {self.version}; this runner reads {VERSION}")
        check_space(self.space)
        keys = [model.key for model in self.models]
        if len(set(keys)) < len(keys):
            raise ValueError("a key occurs twice among the models")
        for name in self.sentinels:
            if not name.replace("-", "").isalnum():
                raise ValueError(f"the sentinel's name {name[:60]!r} is not letters, digits and hyphens")

    def sentinel_models(self, folder: Path) -> dict[str, bytes]:
        """Name -> ONNX model of the sentinels in a bundle's folder."""
        return {
            name: read_model(folder / sentinel_file(name), sha256) for name, sha256 in self.sentinels.items()
        }


def sentinel_file(name: str) -> str:
    """Path of a sentinel in the bundle."""
    return f"{MODELS}/{name}.onnx"


def to_json(manifest: Manifest) -> str:
    """The text of ``manifest.json``."""
    return json.dumps(to_plain(manifest), indent=1, allow_nan=False) + "\n"


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a bundle, every field checked.

    Raises:
        FileNotFoundError: the folder has none: it is no bundle.
        ValueError: it is damaged, or of another version; the message names the field.
    """
    path = folder / MANIFEST
    try:
        data = json.loads(read_file(path, _LARGEST_MANIFEST))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    return from_plain(Manifest, data, str(path))


def read_model(path: Path, sha256: str) -> bytes:
    """A model of a bundle.

    Raises:
        ValueError: the file is not the one that the manifest names.
    """
    content = read_file(path, _LARGEST_MODEL)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError(f"{path} is not the model that the manifest names; copy the bundle again")
    return content
