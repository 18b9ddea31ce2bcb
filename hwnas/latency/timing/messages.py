"""Framed messages between a measuring process and its worker: a JSON header and a block of bytes.

A message is two big-endian lengths (header: 4 bytes, body: 8 bytes), the header as UTF-8 JSON, and
the body. Nothing is unpickled. This file imports the standard library only.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

_LENGTHS = struct.Struct(">IQ")
_LARGEST_HEADER = 1 << 20
_LARGEST_BODY = 1 << 31


def send(stream: BinaryIO, header: dict[str, Any], body: bytes = b"") -> None:
    """Write one message and flush it."""
    text = json.dumps(header).encode()
    stream.write(_LENGTHS.pack(len(text), len(body)) + text)
    stream.write(body)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Read one message.

    Raises:
        EOFError: the other side is gone.
        ValueError: the lengths or the header are not ours.
    """
    head, body = _LENGTHS.unpack(_exactly(stream, _LENGTHS.size))
    if head > _LARGEST_HEADER or body > _LARGEST_BODY:
        raise ValueError(f"message of {head} + {body} bytes is too large")
    try:
        header = json.loads(_exactly(stream, head))
    except RecursionError:
        raise ValueError("message header is nested too deeply") from None
    if not isinstance(header, dict):
        raise ValueError("message header is not an object")
    return header, _exactly(stream, body)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("the stream ended inside a message")
    return data
