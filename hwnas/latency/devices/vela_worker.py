"""The process that holds Arm's compiler Vela: reads arguments of `vela`, one JSON list a line, and answers.

The answers are JSON strings, one a line: first why the compiler cannot be loaded, then for each list why it
refused the network; empty where it did not. What the compiler prints goes nowhere: it may come from its
native part, past Python.
"""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout


def main() -> None:
    """Serve standard input until it ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)

    def answer(text: str) -> None:
        answers.write(json.dumps(text) + "\n")
        answers.flush()

    answer(defect())
    for line in sys.stdin:
        answer(refusal(json.loads(line)))


def defect() -> str:
    """Why the compiler cannot be loaded, or an empty text."""
    try:
        import ethosu.vela.vela  # noqa: F401
    except Exception as error:  # whatever a broken installation raises
        return f"{type(error).__name__}: {error}"
    return ""


def refusal(arguments: list[str]) -> str:
    """Run the compiler; an empty text, or why it refused."""
    from ethosu.vela import vela

    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            status = vela.main(arguments)
        except SystemExit as end:
            status = 0 if end.code in (None, 0) else 1
        except Exception as error:  # whatever the compiler raises is a refusal
            return f"{type(error).__name__}: {error}"
    if status:
        lines = [text.strip() for text in said.getvalue().splitlines() if text.strip()]
        return (lines[-1] if lines else f"exit status {status}")[:500]
    return ""


if __name__ == "__main__":
    main()
