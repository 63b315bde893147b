"""What the READMEs show works as shown: every Python block runs, in order, and so does every millrace command."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess

import pytest

from paths import BINARY, EXAMPLES, ROOT

ADDRESS = "127.0.0.1:7400"
DEFINITIONS = EXAMPLES / "payments/card_risk.sql"


def blocks(path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / path).read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("readme", ["README.md", "clients/python/README.md"])
def test_python_blocks_run(readme, serve):
    server = serve(DEFINITIONS)
    program = "\n".join(blocks(readme, "python"))
    assert ADDRESS in program
    exec(compile(program.replace(ADDRESS, server.address), readme, "exec"), {})


def commands(*names: str) -> list[str]:
    lines = [line for block in blocks("README.md", "sh") for line in block.splitlines()]
    return [line for line in lines if line.split()[:1] == ["millrace"] and line.split()[1] in names]


def millrace(command: str, folder, address: str = ADDRESS) -> str:
    words = [str(BINARY), *shlex.split(command.replace(ADDRESS, address))[1:]]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def checkout(tmp_path):
    """A folder with the examples in it, to run the README's commands in."""
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    return tmp_path


def test_commands_on_files_run(checkout):
    shown = commands("check", "explain", "replay")
    assert len(shown) == 3
    for command in shown:
        millrace(command, checkout)
    payments = (checkout / "examples/payments/payments.csv").read_text().splitlines()
    assert len((checkout / "vectors.csv").read_text().splitlines()) == len(payments)


def test_commands_to_a_server_run(checkout, serve):
    server = serve(checkout / "examples/payments/card_risk.sql")
    shown = commands("send", "get", "status")
    assert len(shown) == 3
    said = {command.split()[1]: millrace(command, checkout, server.address) for command in shown}
    assert "payments_24h" in said["get"]
    assert os.path.getsize(checkout / "vectors.arrows") > 0


@pytest.mark.parametrize("readme", ["README.md", "CONTRIBUTING.md", "clients/python/README.md", "docs/sql.md", "docs/operations.md", "docs/performance.md"])
def test_links_lead_somewhere(readme):
    path = ROOT / readme
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_the_definitions_that_the_readme_shows_compile(tmp_path):
    for number, sql in enumerate(blocks("README.md", "sql")):
        (tmp_path / f"{number}.sql").write_text(sql)
        millrace(f"millrace check {number}.sql", tmp_path)
