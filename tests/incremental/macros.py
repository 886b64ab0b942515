"""The macros of the dbt project, called one by one, without a project that is built.

They are parsed and rendered as dbt does it: a template for each macro, `return` as an exception.
What they ask the database for, an in-memory DuckDB answers.
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import duckdb
from dbt.context.base import BaseContext
from dbt_common.clients._jinja_blocks import BlockTag
from dbt_common.clients.jinja import extract_toplevel_blocks, get_environment
from dbt_common.exceptions import CompilationError
from dbt_common.exceptions.macros import MacroReturn
from dbt_common.utils.jinja import get_dbt_macro_name

from tests.installation import DBT_PROJECT


@dataclass
class Answer:
    """The result of a query, as macros see it."""

    rows: list[tuple[Any, ...]]

    @property
    def columns(self) -> list[list[Any]]:
        return [list(column) for column in zip(*self.rows, strict=True)]


class Macros:
    """The macros by name, with what dbt would tell them.

    Attributes:
        database: what they ask.
        context: the names that they know.
    """

    def __init__(self, **context: Any) -> None:
        self.database = duckdb.connect()
        self.context: dict[str, Any] = {
            "return": _return,
            "run_query": self._run_query,
            "fromjson": BaseContext.fromjson,
            "tojson": BaseContext.tojson,
            "local_md5": BaseContext.local_md5,
            "modules": SimpleNamespace(re=re, datetime=datetime),
            "adapter": SimpleNamespace(dispatch=lambda name: self.context[f"duckdb__{name}"]),
            "exceptions": SimpleNamespace(raise_compiler_error=_refuse),
            "execute": True,
            "invocation_id": "this invocation",
            "should_full_refresh": lambda: False,
            "var": {"builds_remembered": 100, "reporting_timezone": "UTC"}.get,
            "graph": {"nodes": {}, "sources": {}},
            **context,
        }
        for name, source in _sources().items():
            self.context[name] = self._macro(name, source)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in self.context:
            raise AttributeError(name)
        macro: Callable[..., Any] = self.context[name]
        return macro

    def _macro(self, name: str, source: str) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            macro = getattr(_template(source).make_module(self.context), get_dbt_macro_name(name))
            try:
                return macro(*arguments, **named)
            except MacroReturn as returned:
                return returned.value

        return call

    def _run_query(self, query: str) -> Answer:
        return Answer(self.database.execute(query).fetchall())


@functools.cache
def _sources() -> dict[str, str]:
    """The text of each macro of the project."""
    found: dict[str, str] = {}
    for file in sorted((DBT_PROJECT / "macros").rglob("*.sql")):
        blocks = extract_toplevel_blocks(
            file.read_text(encoding="utf-8"),
            allowed_blocks={"macro", "materialization", "test"},
            collect_raw_data=False,
        )
        for block in blocks:
            if isinstance(block, BlockTag) and block.block_type_name == "macro":
                found[str(block.block_name)] = str(block.full_block)
    return found


@functools.cache
def _template(source: str) -> Any:
    return get_environment(None).from_string(source)


def _return(value: Any = None) -> None:
    raise MacroReturn(value)


def _refuse(message: str) -> None:
    raise CompilationError(message)
