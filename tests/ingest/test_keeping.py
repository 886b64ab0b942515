"""Dumps that are too old to be kept are as if they had never arrived."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import pytest

from dagster_project.ingest.landing import Landing

START = date(2026, 2, 20)


def landing_of(folder: Path, days: Iterable[int]) -> Path:
    for number in days:
        dump = folder / "events" / f"dt={START + timedelta(days=number)}"
        dump.mkdir(parents=True)
        (dump / "a.ndjson").write_text(f"{number}\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("seed", range(20))
def test_a_landing_is_as_one_that_only_has_what_is_kept(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    days = sorted(chance.sample(range(60), chance.randint(1, 20)))
    keep = chance.choice([1, 2, 7, 30, 60, 61, 400])
    chance.shuffle(arrived := list(days))
    whole = Landing(str(landing_of(tmp_path / "whole", arrived)), keep_days=keep).look()
    kept = Landing(
        str(landing_of(tmp_path / "kept", (day for day in days if day > days[-1] - keep)))
    ).look()
    assert {day: len(dump.files) for day, dump in whole.dumps.items()} == {
        day: len(dump.files) for day, dump in kept.dumps.items()
    }
    assert whole.days == {START + timedelta(days=day) for day in days}
    assert set(whole.expired) == whole.days - whole.dumps.keys()
    assert Landing(str(tmp_path / "whole"), keep_days=0).look().dumps.keys() == whole.days


def test_without_the_newest_dump_older_ones_are_kept_again(tmp_path: Path) -> None:
    landing = Landing(str(landing_of(tmp_path, [0, 5, 9])), keep_days=5)
    assert landing.look().expired == (START,)
    newest = tmp_path / "events" / f"dt={START + timedelta(days=9)}"
    (newest / "a.ndjson").unlink()
    newest.rmdir()
    assert landing.look().expired == (START,)
    (tmp_path / "events" / f"dt={START + timedelta(days=3)}").mkdir()  # without files it is no dump
    assert landing.look().expired == (START,)
    assert Landing(str(tmp_path), keep_days=6).look().expired == ()
