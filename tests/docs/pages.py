"""The pages that people read, and the blocks of commands, examples and output in them.

A comment before a block says what is in it:

    <!-- example: events/dt=2026-03-01/player.ndjson -->      what a file of a landing holds
    <!-- output of the command: walkhouse status -->          what the command prints
    <!-- output of the query: select … -->                    what a release answers
    <!-- output of the commands above -->                     what the block before prints

Examples and output refer to the fortnight that `make run` simulates.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.installation import CHECKOUT

_BLOCK = re.compile(
    r"^(?:<!-- (?P<comment>[^\n]*) -->\n)?(?P<indent> *)```(?P<language>\w*)\n"
    r"(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: the file.
        language: what stands behind the fence, such as `sh`.
        comment: the comment before it, or an empty text.
        text: its lines, without the indent of a list.
        span: from where to where in the page the text stands.
    """

    page: Path
    language: str
    comment: str
    text: str
    span: tuple[int, int]

    @property
    def commands(self) -> tuple[str, ...]:
        """Its commands; one that goes on over several lines is one command."""
        commands: list[str] = []
        for line in self.text.splitlines():
            if commands and commands[-1].count('"') % 2:
                commands[-1] += f"\n{line}"
            elif line.strip():
                commands.append(line)
        return tuple(commands)


def pages() -> list[Path]:
    """The README and the pages of the documentation that are written by hand."""
    written = {CHECKOUT / "docs" / "data-dictionary.md"}
    return [CHECKOUT / "README.md", *sorted({*(CHECKOUT / "docs").glob("*.md")} - written)]


def page(name: str) -> str:
    """The text of a page of the documentation, such as `bi`."""
    return (CHECKOUT / "docs" / f"{name}.md").read_text(encoding="utf-8")


def blocks(path: Path) -> Iterator[Block]:
    """The blocks of a page, in their order."""
    text = path.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        yield Block(
            page=path,
            language=match["language"],
            comment=match["comment"] or "",
            text=textwrap.dedent(match["text"]),
            span=match.span("text"),
        )


def commands(path: Path) -> list[str]:
    """All shell commands of a page."""
    return [
        command for block in blocks(path) if block.language == "sh" for command in block.commands
    ]
