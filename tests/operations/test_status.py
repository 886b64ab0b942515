"""What `walkhouse status` says; tests/whole/test_boundaries.py asks it between real runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dagster_project.operations.pending import look, refusals, why_unlisted
from dagster_project.release.publish import Release
from dagster_project.settings import Settings


def test_a_refusal_is_over_when_what_is_published_is_wanted_again(tmp_path: Path) -> None:
    settings = Settings(landing=str(tmp_path / "landing"), home=tmp_path / "home")
    (tmp_path / "landing" / "events").mkdir(parents=True)
    settings.home.mkdir()
    settings.refusal.write_text('["a rule: 1 violation"]', encoding="utf-8")
    situation = look(settings)
    assert refusals(settings, situation) == ["a rule: 1 violation"]
    release = Release("1", "2026-03-01T12:00:00+00:00", "1", situation.state, None, None, 0, 0, {})
    assert refusals(settings, replace(situation, release=release)) == []


@pytest.mark.parametrize("reason", ["{} is not there", "it does not answer"])
def test_a_landing_that_cannot_be_listed_is_named_once_without_its_password(reason: str) -> None:
    landing = "s3://user:secret@store/landing"
    said = why_unlisted(Settings(landing=landing), OSError(reason.format(landing)))
    assert said.count("store/landing") == 1
    assert "secret" not in said
