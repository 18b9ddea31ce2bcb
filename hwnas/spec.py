"""Things by name with settings, as the command line gives them: `mobilenetv2:resolution=96,classes=10`."""

from __future__ import annotations

import ast
from typing import Any


def read_settings(text: str, of: str) -> dict[str, Any]:
    """The settings in `key=value,...`, whose values are Python literals or plain words.

    Args:
        text: what stands behind the colon.
        of: what they belong to, for the message: `a space`.

    Raises:
        ValueError: it is not of this form.
    """
    try:
        call = ast.parse(f"f({text})", mode="eval").body
        if not isinstance(call, ast.Call) or call.args:
            raise ValueError("key=value expected")
        return {str(keyword.arg): _value(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"settings {text!r} of {of} must be key=value,...: {error}") from error


def _value(node: ast.expr) -> Any:
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)
