"""Keyed hashes are alike in Python and in SQL, and a home has one key."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.keyed_hash import FINGERPRINT_FILE, Key, KeyRefusedError, check_key, hash_sql
from dagster_project.treatment import Treatment

A_KEY = Key.of("a key that is long enough for tests")


def test_it_is_the_hash_of_the_standard() -> None:
    """RFC 4231, test cases 2 (a short key) and 6 (a key of more than a block)."""
    short = Key.of("Jefe").hash("what do ya want for nothing?")
    long = Key(b"\xaa" * 131).hash("Test Using Larger Than Block-Size Key - Hash Key First")

    assert short == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert long == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"


@given(secret=st.binary(min_size=1, max_size=200), text=st.text())
def test_sql_makes_the_same(secret: bytes, text: str) -> None:
    key = Key(secret)
    with duckdb.connect() as connection:
        key.give_to(connection)
        found = connection.execute(f"select {hash_sql('$text')}", {"text": text}).fetchone()

    assert found == (key.hash(text),)


def test_nothing_has_no_hash() -> None:
    with duckdb.connect() as connection:
        A_KEY.give_to(connection)

        assert connection.execute(f"select {hash_sql('null::varchar')}").fetchone() == (None,)


def test_a_key_does_not_show_itself() -> None:
    assert "long enough" not in repr(A_KEY)


def test_a_home_has_one_key(tmp_path: Path) -> None:
    check_key(tmp_path, A_KEY, purpose="the test")
    check_key(tmp_path, A_KEY, purpose="the test")

    with pytest.raises(KeyRefusedError, match="not the key of this home"):
        check_key(tmp_path, Key.of("another one"), purpose="the test")
    with pytest.raises(KeyRefusedError, match="the test needs a key"):
        check_key(tmp_path, None, purpose="the test")
    assert A_KEY.secret not in (tmp_path / FINGERPRINT_FILE).read_bytes()


def test_a_key_that_nothing_needs_yet_is_that_of_the_home_all_the_same(tmp_path: Path) -> None:
    Treatment().check(tmp_path)
    assert not (tmp_path / FINGERPRINT_FILE).exists()
    Treatment(key=A_KEY).check(tmp_path)
    Treatment(key=Key.of("another one")).check(tmp_path)
    with pytest.raises(KeyRefusedError, match="not the key of this home"):
        check_key(tmp_path, Key.of("another one"), purpose="the test")
