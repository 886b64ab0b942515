"""Imports run down the floors of the house, and only the upper rooms know Dagster or dbt."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.installation import CHECKOUT

PACKAGE = "dagster_project"
FLOORS = (
    ("cli",),
    ("definitions",),
    ("defs",),
    ("operations",),
    ("models",),
    ("ingest", "release", "simulate"),
    (
        "settings",
        "rights",
        "registry",
        "personal_data",
        "locks",
        "object_store",
        "replacing",
        "quoting",
        "keyed_hash",
        "forgotten",
        "treatment",
        "crew",
        "stopping",
        "words",
    ),
)
KNOW_DBT = {"models.dbt", "defs.assets.models"}
KNOW_DAGSTER = {
    "definitions",
    *(
        f"operations.{name}"
        for name in ("failed_runs", "instance", "requests", "retention", "run", "runs", "shell")
    ),
    "cli.run",
}
"""Beside everything in `defs`; docs/architecture.md says why."""


def modules(package: Path) -> dict[str, Path]:
    """Every module of the package by its dotted name, without the name of the package."""
    return {
        ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(package.rglob("*.py"))
        if path.relative_to(package).parts != ("__init__.py",)
    }


def imported_names(path: Path) -> Iterator[str]:
    """Dotted names of what a module imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_within(package: Path) -> dict[str, set[str]]:
    """The modules of the package that each of them imports."""
    known = modules(package)

    def module_of(name: str) -> str | None:
        inner = name.removeprefix(f"{package.name}.")
        return next((each for each in (inner, inner.rpartition(".")[0]) if each in known), None)

    return {
        module: {
            found
            for name in imported_names(path)
            if name.startswith(f"{package.name}.")
            and (found := module_of(name)) is not None
            and found != module
        }
        for module, path in known.items()
    }


def floor_of(module: str) -> int:
    """The number of the floor that a module is on, 0 at the top."""
    room = module.split(".")[0]
    (floor,) = (number for number, rooms in enumerate(FLOORS) if room in rooms)
    return floor


def upward(imports: dict[str, set[str]]) -> list[str]:
    """Imports that run up, or from one room to another on its floor."""
    return [
        f"{module} imports {other}"
        for module, others in imports.items()
        for other in sorted(others)
        if floor_of(other) < floor_of(module)
        or (
            floor_of(other) == floor_of(module)
            and len(FLOORS[floor_of(module)]) > 1
            and floor_of(module) < len(FLOORS) - 1
            and module.split(".")[0] != other.split(".")[0]
        )
    ]


def circle(imports: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, in their order; none where there is no circle.

    A package that imports its own modules to offer them is no circle.
    """
    graph = {
        module: {
            other
            for other in others
            if not other.startswith(f"{module}.") and not module.startswith(f"{other}.")
        }
        for module, others in imports.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def knowing(package: Path, libraries: tuple[str, ...]) -> set[str]:
    """The modules that import one of the libraries, also where only type checkers see it."""
    return {
        module
        for module, path in modules(package).items()
        if any(name.split(".")[0] in libraries for name in imported_names(path))
    }


def test_imports_run_down_the_floors() -> None:
    assert not upward(imports_within(CHECKOUT / PACKAGE))


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert not circle(imports_within(CHECKOUT / PACKAGE))


def test_only_named_modules_know_dagster() -> None:
    found = knowing(CHECKOUT / PACKAGE, ("dagster",))
    assert {module for module in found if not module.startswith("defs.")} == KNOW_DAGSTER


def test_only_named_modules_know_dbt() -> None:
    libraries = ("dagster_dbt", "dbt", "dbt_common", "dbt_adapters")
    assert knowing(CHECKOUT / PACKAGE, libraries) == KNOW_DBT


def test_every_room_says_what_belongs_there() -> None:
    for init in sorted((CHECKOUT / PACKAGE).rglob("__init__.py")):
        assert ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))), init


def test_tests_mirror_the_rooms() -> None:
    rooms = {
        path.name for path in (CHECKOUT / PACKAGE).iterdir() if (path / "__init__.py").exists()
    }
    assert rooms <= {path.name for path in (CHECKOUT / "tests").iterdir() if path.is_dir()}


@pytest.mark.parametrize(
    ("module", "text", "found"),
    [
        ("ingest/a.py", "from house.cli import main", "ingest.a imports cli"),
        ("ingest/a.py", "def f():\n    from house.release import b", "ingest.a imports release.b"),
        ("release/b.py", "import house.operations.run", "release.b imports operations.run"),
    ],
)
def test_an_import_that_runs_up_is_found(
    tmp_path: Path, module: str, text: str, found: str
) -> None:
    house = tmp_path / "house"
    for name in ("cli/__init__.py", "operations/run.py", "release/b.py", "ingest/a.py"):
        (house / name).parent.mkdir(parents=True, exist_ok=True)
        (house / name).write_text("")
    assert not upward(imports_within(house))
    (house / module).write_text(text)
    assert upward(imports_within(house)) == [found]


def test_a_circle_is_found(tmp_path: Path) -> None:
    house = tmp_path / "house"
    (house / "release").mkdir(parents=True)
    (house / "release/a.py").write_text("from house.release.b import x")
    (house / "release/b.py").write_text("def f():\n    from house.release import a")
    assert set(circle(imports_within(house))) == {"release.a", "release.b"}
