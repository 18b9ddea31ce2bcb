"""What a file says, as a part of a message."""

from __future__ import annotations


def shortened(text: object, length: int = 100) -> str:
    """`text` on one line, cut where it is long."""
    line = " ".join(str(text)[: 4 * length].split())
    return line if len(line) <= length else f"{line[:length]}..."
