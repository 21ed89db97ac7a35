"""Writing that cannot leave half a file behind."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

__all__ = ["write"]


def write(path: Path, text: str | bytes) -> bool:
    """Put `text` into `path` in one step, making its folders; return whether the file changed.

    An interruption, even a kill, leaves either the old file or the new one; so does a disk that is full.

    Raises:
        OSError: it cannot be written; its `filename` is `path`.
    """
    data = text.encode() if isinstance(text, str) else text
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as failed:
        failed.filename = str(path)  # not that of the part, which nobody knows
        raise
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(name, path.stat().st_mode if path.exists() else 0o644)
        os.replace(name, path)
    except BaseException as failed:
        if isinstance(failed, OSError):
            failed.filename = str(path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise
    return True
