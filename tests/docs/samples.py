"""Produces the output and the picture that the pages show: `make docs-samples` writes them.

They come from the fortnight that `make run` simulates, so that a reader who runs it sees the same
numbers. Ids and times differ from run to run; the pages show those of an example.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb

from tests.chromium import chromium
from tests.docs.pages import Block, blocks, pages
from tests.installation import CHECKOUT, PROGRAMS, Installation, said

PICTURE = CHECKOUT / "docs" / "images" / "page.png"

# What differs from run to run, and what a page shows in its place.
_MASKS = (
    (re.compile(r"\b\d{8}T\d{6}-[0-9a-f]{8}\b"), "20260315T060012-3f9c0a1d"),
    (
        re.compile(r"\b[0-9a-f]{16}( \(commit [0-9a-f]{12}(, modified)?\))?(?=,|$)", re.MULTILINE),
        "5d1f0c2b9a7e4f36 (commit 4c1d9be20a7f)",
    ),
    (re.compile(r"deployed by \S+ at \S+"), "deployed by ann at 2026-03-15T06:00:00+00:00"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00"), "2026-03-15T06:00:12.345+00:00"),
)


def fortnight(folder: Path) -> Installation:
    """What `make run` leaves: a simulated fortnight, published."""
    installation = Installation(folder / "data" / "landing", folder / "data")
    for command in ("simulate", "run"):
        done = installation.walkhouse(command)
        if done.returncode != 0:
            raise RuntimeError(f"walkhouse {command} failed:\n{said(done)}")
    return installation


def run_command(installation: Installation, command: str) -> str:
    """What a command of a page prints in the checkout whose `data` is the installation's home.

    Raises:
        RuntimeError: the command failed.
    """
    spelled = command.replace(".venv/bin/", f"{PROGRAMS}/")
    done = installation.execute("sh", "-c", spelled, cwd=installation.home.parent)
    if done.returncode != 0:
        raise RuntimeError(f"{command}\nfailed:\n{said(done)}")
    return shown(installation, done.stdout)


def shown(installation: Installation, text: str) -> str:
    """A program's output as a page shows it."""
    text = text.replace(f"{installation.home.parent}/", "")
    text = text.replace(str(installation.home), "data")
    for pattern, example in _MASKS:
        text = pattern.sub(example, text)
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()) + "\n"


def output_blocks(path: Path) -> Iterator[tuple[Block, Block | None]]:
    """The blocks of a page that show output, each with the block before it."""
    before = None
    for block in blocks(path):
        if block.comment.startswith("output of "):
            yield block, before
        before = block


def output(installation: Installation, block: Block, before: Block | None) -> str:
    """What a block of output has to show."""
    kind, _, what = block.comment.removeprefix("output of the ").partition(": ")
    if kind == "command":
        return run_command(installation, what)
    if kind == "query":
        with duckdb.connect(str(installation.published), read_only=True) as connection:
            return shown(installation, str(connection.sql(what)))
    if kind == "commands above" and before:
        return "".join(run_command(installation, command) for command in before.commands)
    raise ValueError(f"{block.page}: what is the output of {block.comment!r}?")


def write_output(installation: Installation) -> None:
    """Bring the output in all pages up to date."""
    for path in pages():
        text = path.read_text(encoding="utf-8")
        for block, before in reversed(list(output_blocks(path))):
            start, end = block.span
            text = text[:start] + output(installation, block, before) + text[end:]
        path.write_text(text, encoding="utf-8")


def take_picture(installation: Installation, picture: Path) -> None:
    """Take a picture of the page of a release, as a browser shows it."""
    with chromium() as browser:
        reader = browser.new_page(viewport={"width": 1280, "height": 1320})
        reader.goto((installation.home / "published" / "index.html").as_uri())
        reader.screenshot(path=picture)


def main() -> None:
    """Write the output and the picture anew."""
    with tempfile.TemporaryDirectory(prefix="walkhouse-docs-") as folder:
        installation = fortnight(Path(folder))
        write_output(installation)
        take_picture(installation, PICTURE)


if __name__ == "__main__":
    main()
