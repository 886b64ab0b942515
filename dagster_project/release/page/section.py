"""What a page is made of: sections, tiles, tables and columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from dagster_project.release.metrics import Unit
from dagster_project.release.page.charts import Chart

ROWS = 10

Kind = Literal["name", "text", Unit, "change", "heat"]


class Term(NamedTuple):
    """A figure and what it means."""

    label: str
    meaning: str


class Rate(NamedTuple):
    """A rate beside its numerator and denominator.

    Attributes:
        part: the numerator.
        whole: the denominator.
        of: what the denominator counts, as in "sessions"; empty where the column says it.
    """

    part: float | None
    whole: float | None
    of: str = ""

    @property
    def value(self) -> float | None:
        """The rate; None where there is no whole."""
        return self.part / self.whole if self.part is not None and self.whole else None


@dataclass(frozen=True)
class Named:
    """What users call something, within a sentence."""

    name: str | None


@dataclass(frozen=True)
class Tile:
    """A number worth a glance.

    Attributes:
        term: what it is.
        value: it, as it is written.
        remark: what stands beside it: numerator and denominator of a rate, for example.
        change: against the period before, as it is written; empty where there is none.
        line: what it was over time, as a drawing; empty where there is none.
    """

    term: Term
    value: str
    remark: str = ""
    change: str = ""
    line: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table on the page.

    Attributes:
        label: its heading.
        kind: how it is written: `name` is user input, a share gets a bar, `heat` a shade.
        meaning: of its numbers; empty where the heading is enough.
        is_main: whether it stands beside the name where there is little room.
    """

    label: str
    kind: Kind = "count"
    meaning: str = ""
    is_main: bool = False


@dataclass(frozen=True)
class Table:
    """A table on the page.

    Attributes:
        title: what it shows.
        columns: the first is the heading of its row.
        rows: one value a column; None where there is none.
        note: what has to be known to read it.
        folded: whether it is shown only when asked for.
        grows: whether it needs the whole width.
        more: what else needs an explanation.
        sentences: for each row one that stands below it; empty where there are none.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    folded: bool = False
    grows: bool = False
    more: Sequence[Term] = ()
    sentences: Sequence[Sequence[str | Named]] = ()

    @property
    def size(self) -> str:
        """How much room it takes where there is room."""
        most = 8 if self.is_heat else 4
        return "wide" if self.grows or len(self.columns) > most else "half"

    @property
    def is_heat(self) -> bool:
        """Whether its numbers are shades."""
        return self.columns[-1].kind == "heat"

    @property
    def terms(self) -> list[Term]:
        """What needs an explanation: columns first."""
        return [
            *(Term(each.label, each.meaning) for each in self.columns if each.meaning),
            *self.more,
        ]


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading.

    Attributes:
        title: the heading.
        lead: what it is about, in a sentence.
        tiles, charts, tables: what it shows, in this order.
        problem: why it shows nothing.
    """

    title: str
    lead: str = ""
    tiles: Sequence[Tile] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    problem: str = ""

    def room_for(self, table: Table) -> str:
        """How much room a table takes: the first one fills the last row of the charts."""
        beside = {1: "rest", 2: "third"}.get(len(self.charts) % 3)
        return beside if beside and table is self.tables[0] else table.size
