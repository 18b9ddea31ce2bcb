"""Tables of the pages that benchmarks write."""

from collections.abc import Iterable, Sequence


def markdown_table(top: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(top)} |", "|---" * len(top) + "|", *(f"| {' | '.join(row)} |" for row in body)]
    return "\n".join(lines) + "\n"
