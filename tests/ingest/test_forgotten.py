"""Who is forgotten is nowhere in the lake, and everybody else is there as before."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pytest

from dagster_project.forgotten import People, Request, length_of, person_of
from dagster_project.keyed_hash import Key
from dagster_project.treatment import Treatment
from tests.ingest.readers import read
from tests.whole import landings

A_KEY = Key.of("a key that is long enough for the tests")
NOON = landings.at("2026-03-01T12:00:00Z")
IDS = ("u-17", 'jürgen "j" o\'neil', "🙂🙂🙂🙂", "anna@example.com", "10023", "山田 太郎", "a+b/c")
Row = dict[str, Any]


def asked_for(*users: str, is_removal: bool = False, system_id: str | None = None) -> Treatment:
    requests = tuple(
        Request(n, person_of(user, A_KEY), length_of(user), system_id, is_removal, "")
        for n, user in enumerate(users, start=1)
    )
    return Treatment(key=A_KEY, requests=requests)


# ---------- Known in texts


@pytest.mark.parametrize("user", IDS)
@pytest.mark.parametrize(
    "written",
    [
        lambda user: user,
        lambda user: f"/people/{user}",
        lambda user: f"/people/{quote(user, safe='')}/edit?x=1",
        lambda user: f"/people/{quote(quote(user, safe=''), safe='')}",
        lambda user: json.dumps({"user": user}),
        lambda user: json.dumps({"user": user}, ensure_ascii=False),
        lambda user: json.dumps(json.dumps({"user": user})),
        lambda user: f"Mail to {user}.",
        lambda user: f"({user})",
        lambda user: f"<b>{html.escape(user)}</b>",
        lambda user: "\0".join(user),
    ],
)
def test_an_id_is_found_however_it_is_written(user: str, written: Any) -> None:
    people = People.asked_for([user, "nobody else"], A_KEY)
    assert people.is_mentioned(written(user))
    assert people.request_of(user, "s") == 1


@pytest.mark.parametrize("user", IDS)
@pytest.mark.parametrize("other", ["{}1", "1{}", "x-{}", "{}@example.com", "{}_", "{}.b"])
def test_an_id_is_not_found_in_that_of_another(user: str, other: str) -> None:
    people = People.asked_for([user], A_KEY)
    assert people.request_of(other.format(user), "s") is None
    if user != IDS[1]:
        assert not people.is_mentioned(other.format(user))
        assert not people.is_mentioned(f"/people/{other.format(user)}/")


def test_a_short_id_is_looked_for_in_nobody_elses_texts() -> None:
    people = People.asked_for(["7"], A_KEY)
    assert people.request_of("7", "s") == 1
    assert not people.is_mentioned("/orders/7")


def test_a_request_about_a_system_is_about_no_other() -> None:
    people = People.asked_for(["u-17"], A_KEY, system_id="s")
    assert people.request_of("u-17", "s") == 1
    assert people.request_of("u-17", "t") is None
    assert people.is_mentioned("u-17", "s")
    assert not people.is_mentioned("u-17", "t")
    assert people.is_mentioned("u-17", "unknown")  # the line says nothing of its system


# ---------- In the lake


def event(user: str, number: int = 0, **values: Any) -> Row:
    return {
        "occurred_at": str(NOON + number),
        "session_id": f"session {number % 3}",
        "end_user_id": user,
        "item_type": "Task",
        "event": "Play",
        "system_id": "s",
        "item_id": str(number),
        **values,
    }


def own_and_others(user: str) -> Sequence[Row]:
    """Lines that hold a user, and that must not afterwards, at even places; at odd ones, others."""
    mentions = {
        "page_path": f"/people/{user}",
        "page_title": f"Profile of {user}",
        "value": f"ask {user}",
        "user_info": f"manager: {user}",
        "user_name": user,
        "item_name": f"Ask ({user})",
    }
    others = {name: text.replace(user, f"x{user}") for name, text in mentions.items()}
    return [
        event(user, 0, **mentions, visit_id="v", play_id="p", interaction_guid="g"),
        event(f"x{user}", 0, **others, visit_id="v", play_id="p", interaction_guid="g"),
        event("somebody", 1, **mentions),
        event("somebody", 1, **others),
        event(user, 2, event="pageChange", **mentions),
        event("somebody", 2, event="pageChange", **others),
        event(user, 3, occurred_at="soon", **mentions),
        event("somebody", 3, occurred_at="soon", **others),
        event("", 4, **mentions),
        event("", 4, **others),
        event(user, 5, event=user),
        event("somebody", 5, event="dance"),
        event(user, 6, **{user: "a key that nobody knows"}),
        event("somebody", 6, **{"some key": "that nobody knows"}),
        event(user, 7, visit_id="v", play_id="p", interaction_guid="g", value="7"),
        event("somebody", 7, visit_id="v", play_id="p", interaction_guid="g", value="7"),
    ]


def as_json(rows: Sequence[Row]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def writings(user: str) -> set[str]:
    return {
        user,
        json.dumps(user)[1:-1],
        json.dumps(user, ensure_ascii=False)[1:-1],
        quote(user, safe=""),
    }


@pytest.mark.parametrize("is_removal", [False, True])
@pytest.mark.parametrize("user", [*IDS, "u-17.0", "s-own"])
def test_the_lake_holds_nothing_of_who_is_forgotten_and_all_of_others(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, user: str, is_removal: bool
) -> None:
    rows = own_and_others(user)
    files = {"a.ndjson": as_json(rows), "b.ndjson": b'{"torn": "' + user.encode() + b'"'}
    before, counts_before = read(connection, tmp_path, files)
    after, counts = read(connection, tmp_path, files, asked_for(user, is_removal=is_removal))
    kept = after["a.ndjson"] + after["b.ndjson"]
    for row in after["a.ndjson"][0::2] + after["b.ndjson"]:
        for column, value in row.items():
            assert not any(text in str(value) for text in writings(user)), (column, value)
    assert after["a.ndjson"][1::2] == before["a.ndjson"][1::2]
    assert len(kept) == len(rows) + 1
    for name in files:
        assert counts[name].lines == counts_before[name].lines
    own = [0, 6 * 2, 7 * 2]
    outcomes = {after["a.ndjson"][place]["outcome"] for place in own}
    assert outcomes == ({"ignored"} if is_removal else {"event"})
    if is_removal:
        assert {after["a.ndjson"][place]["reason"] for place in own} == {"forgotten"}
        return
    first, last = after["a.ndjson"][0], after["a.ndjson"][14]
    for column in ("end_user_id", "visit_id", "play_id", "interaction_guid", "event_key"):
        assert first[column] != last[column], column
    assert last["value"] == "7"
    assert first["value"] == "(text)"
    assert [row["occurred_at"] for row in after["a.ndjson"]] == [
        None if row["outcome"] != "event" and place % 2 == 0 else row["occurred_at"]
        for place, row in enumerate(before["a.ndjson"])
    ]
    assert counts["a.ndjson"].outcomes == counts_before["a.ndjson"].outcomes
