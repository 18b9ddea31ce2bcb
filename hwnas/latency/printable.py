"""Texts of others as one line that a terminal may show."""

from __future__ import annotations


def printable(text: str) -> str:
    """One line of at most 2,000 characters, none of them a control character."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:2000]
