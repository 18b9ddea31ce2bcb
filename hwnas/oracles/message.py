"""What a file says, as a part of a message."""

from __future__ import annotations


def shortened(text: object, length: int = 100) -> str:
    """`text` on one line, cut where it is long, with escapes for what a terminal must not be shown."""
    words = " ".join(str(text)[: 4 * length].split())
    line = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in words)
    return line if len(line) <= length else f"{line[:length]}..."
