"""Things by name with settings, as the command line gives them: `mobilenetv2:resolution=96,classes=10`."""

from __future__ import annotations

import ast
from typing import Any


def read_settings(text: str, of: str) -> dict[str, Any]:
    """The settings in `key=value,...`, whose values are Python literals, plain words, or words joined by `+`.

    Args:
        text: what stands behind the colon.
        of: what they belong to, for the message: `a space`.

    Raises:
        ValueError: it is not of this form, empty, or names a setting twice.
    """
    try:
        call = ast.parse(f"f({text})", mode="eval").body
        if not isinstance(call, ast.Call) or call.args or not call.keywords:
            raise ValueError("key=value expected")
        _refuse_repeated([str(keyword.arg) for keyword in call.keywords])
        return {str(keyword.arg): _value(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        message = error.msg if isinstance(error, SyntaxError) else error
        hint = _QUOTES if ":" in text and isinstance(error, SyntaxError) else ""
        raise ValueError(f"settings {text!r} of {of} must be key=value,...: {message}{hint}") from error


_QUOTES = "; a value with a colon or settings of its own stands in quotes: reward='soft:alpha=0,beta=-1'"


def _refuse_repeated(names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} is given {names.count(name)} times")


def _value(node: ast.expr) -> Any:
    words = _words(node)
    return "+".join(words) if words else ast.literal_eval(node)


def _words(node: ast.expr) -> list[str]:
    """`naswot` and `synflow` of `naswot+synflow`; none where anything else is among them."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _words(node.left), _words(node.right)
        return [*left, *right] if left and right else []
    return []
