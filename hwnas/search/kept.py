"""What a verification found out, kept in the run's store under everything that it depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hwnas.latency import Device
from hwnas.search.store import TrialStore

What = Literal["measured", "written", "file", "blocks"]


@dataclass(frozen=True)
class Kept:
    """Documents by what they say and of which architecture.

    Attributes:
        store: of the run.
        folder: of the run; a document that names an ONNX file counts only where that file is there.
        device: what is `measured` depends on it; None where nothing is measured.
        training: digest of how candidates are trained, or `untrained`.
    """

    store: TrialStore
    folder: Path
    device: Device | None
    training: str

    def get(self, what: What, architecture: str) -> dict[str, Any] | None:
        """The document, or None."""
        document = self.store.get(self._name(what, architecture))
        if document is not None and "onnx" in document and not (self.folder / document["onnx"]).exists():
            return None
        return document

    def put(self, what: What, architecture: str, document: Mapping[str, Any]) -> None:
        """Keep the document; raises OSError where the disk does not take it."""
        self.store.put(self._name(what, architecture), document)

    def _name(self, what: What, architecture: str) -> str:
        on = digest(str(self.device.identity())) if self.device is not None and what != "written" else "-"
        trained = self.training if what in ("written", "file") else "-"
        return f"{what}:{on}:{trained}:{architecture}"


def digest(*texts: str) -> str:
    """A short name for texts, which tells them from others."""
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=6).hexdigest()
