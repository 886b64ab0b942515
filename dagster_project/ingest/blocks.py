"""What can be told of many lines at once, as bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

_CACHED_BYTES = 256 * 1024


def line_ends(data: bytes) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The places behind the line feeds; found in pieces that the processor's cache holds."""
    signs = np.frombuffer(data, dtype=np.uint8)
    found = [
        np.flatnonzero(signs[start : start + _CACHED_BYTES] == ord("\n")) + (start + 1)
        for start in range(0, len(data), _CACHED_BYTES)
    ]
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def is_utf8(data: bytes) -> bool:
    """Whether all of it can be decoded, which Arrow tells without doing so."""
    offsets = np.array([0, len(data)], dtype=np.int64)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    try:
        pa.Array.from_buffers(pa.large_string(), 1, buffers).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
