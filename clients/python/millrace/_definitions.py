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
    """SQL has white space in it; a path that has some must exist to be taken for one."""
    return not any(character.isspace() for character in text) or len(text) < 4096 and os.path.exists(text)
