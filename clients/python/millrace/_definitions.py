"""Definitions as a server is given them: texts with names."""

from __future__ import annotations

import os
from pathlib import Path


def sources(definitions: str | os.PathLike) -> list[tuple[str, str]]:
    """The texts of SQL, of a `.sql` file or of a directory of them, with the names that diagnostics call them by."""
    if isinstance(definitions, str) and not _is_path(definitions):
        return [("definitions.sql", definitions)]
    path = Path(definitions)
    files = sorted(path.glob("*.sql"), key=lambda file: file.name.encode()) if path.is_dir() else [path]
    if not files:
        raise FileNotFoundError(f"{path}: there is no .sql file in this directory")
    return [(str(file), file.read_text(encoding="utf-8-sig")) for file in files]


def _is_path(text: str) -> bool:
    """What exists as a path, or is written as one: a single word with a slash in it, or that ends like a file of SQL."""
    if len(text) < 4096 and "\0" not in text and os.path.exists(text):
        return True
    return not any(character.isspace() for character in text) and (os.sep in text or text.endswith(".sql"))
