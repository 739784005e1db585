"""The folder of a collection: what may be replaced, what a page is called, whom to ask, what is told."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from permcheck.live import Collected, LiveError, Refused, Silent, on_stderr
from permcheck.live.collection import JOURNAL, Collection
from permcheck.live.endpoint import Endpoint, endpoint
from permcheck.live.errors import no_system_errors
from permcheck.live.names import LONGEST, safe_name
from permcheck.live.progress import Lines, Terminal


@pytest.fixture
def begin(tmp_path):
    def run(service="graph", host="graph.microsoft.com"):
        return Collection(tmp_path / "c", service, host)

    return run


def finish(collection, body=b'{"value": []}'):
    collection.save("users-0001.json", "https://h/users", 200, body)
    return collection.finish()


def test_what_a_collection_says(begin, tmp_path):
    collection = begin()
    collection.refuse(Refused("https://h/x", 403, "X.Read"))
    collected = finish(collection)
    refused = (Refused("https://h/x", 403, "X.Read"),)
    assert collected == Collected(tmp_path / "c", "graph", "graph.microsoft.com", None, 1, refused)
    assert pickle.loads(pickle.dumps(collected)) == collected


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_only_the_owner_may_read(begin, tmp_path):
    finish(begin())
    assert (tmp_path / "c").stat().st_mode & 0o077 == 0
    assert all(p.stat().st_mode & 0o077 == 0 for p in (tmp_path / "c").rglob("*"))


@pytest.mark.parametrize("inside", [None, "notes.txt", "collected.json"])
def test_nothing_but_a_collection_is_replaced(begin, tmp_path, inside):
    (tmp_path / "c").mkdir()
    if inside:
        (tmp_path / "c" / inside).write_text("{}")
    with pytest.raises(LiveError, match="no collection") as caught:
        begin()
    assert "choose another folder" in caught.value.help
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


def test_a_file_in_the_way(begin, tmp_path):
    (tmp_path / "c").write_text("mine")
    with pytest.raises(LiveError, match="in the way"):
        begin()
    assert (tmp_path / "c").read_text() == "mine"


@pytest.mark.parametrize("name", ["c", "c.partial", "c.replaced"])
def test_a_link_is_not_followed(begin, tmp_path, name):
    other = tmp_path / "other"
    finish(Collection(other, "graph", "h"))
    (tmp_path / name).symlink_to(other)
    with pytest.raises(LiveError, match="in the way"):
        begin()
    assert (other / "collected.json").exists()


def test_what_comes_between_is_not_replaced_either(begin, tmp_path):
    collection = begin()
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "thesis.txt").write_text("mine")
    with pytest.raises(LiveError, match="no collection"):
        finish(collection)
    assert (tmp_path / "c" / "thesis.txt").read_text() == "mine"


def test_a_partial_folder_of_somebody_else(begin, tmp_path):
    (tmp_path / "c.partial").mkdir()
    (tmp_path / "c.partial" / "thesis.txt").write_text("mine")
    with pytest.raises(LiveError, match="no collection began there"):
        begin()
    assert (tmp_path / "c.partial" / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("other", [("adminservice", "graph.microsoft.com"), ("graph", "graph.microsoft.us")])
def test_a_partial_folder_of_another_service(begin, other):
    begin()
    with pytest.raises(LiveError, match="unfinished collection"):
        begin(*other)


def test_a_place_without_a_name():
    with pytest.raises(LiveError, match="can't be a collection"):
        Collection("/", "graph", "h")


def test_killed_between_two_renames(begin, tmp_path):
    finish(begin())
    (tmp_path / "c").rename(tmp_path / "c.replaced")
    begin()
    assert (tmp_path / "c" / "collected.json").exists()
    assert not (tmp_path / "c.replaced").exists()


def test_killed_after_two_renames(begin, tmp_path):
    finish(begin())
    finish(Collection(tmp_path / "c.replaced", "graph", "h"))
    begin()
    assert not (tmp_path / "c.replaced").exists()


def test_a_rename_that_fails_brings_the_old_one_back(begin, tmp_path, monkeypatch):
    finish(begin(), b'{"value": [1]}')
    rename = type(tmp_path).rename

    def failing(self, target):
        if self.name == "c.partial":
            raise OSError(28, "No space left on device", str(self))
        return rename(self, target)

    monkeypatch.setattr(type(tmp_path), "rename", failing)
    with pytest.raises(LiveError, match="no space left"):
        no_system_errors(finish)(begin())
    assert (tmp_path / "c" / "users-0001.json").read_bytes() == b'{"value": [1]}'


def test_a_journal_that_was_cut(begin, tmp_path):
    collection = begin()
    collection.save("a.json", "https://h/a", 200, b"a")
    collection.save("b.json", "https://h/b", 200, b"b")
    journal = tmp_path / "c.partial" / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-9])
    again = begin()
    assert (again.stored("https://h/a"), again.stored("https://h/b")) == (b"a", None)
    again.save("b.json", "https://h/b", 200, b"b")
    assert begin().stored("https://h/b") == b"b"


@pytest.mark.parametrize("file", ["../secret", "/etc/hostname", "a/../../secret"])
def test_a_journal_leads_nowhere_else(begin, tmp_path, file):
    begin()
    (tmp_path / "secret").write_bytes(b"x")
    line = {"file": file, "url": "https://h/a", "status": 200, "sha256": hashlib.sha256(b"x").hexdigest()}
    with (tmp_path / "c.partial" / JOURNAL).open("a") as journal:
        journal.write(json.dumps(line) + "\n")
    assert begin().stored("https://h/a") is None


def test_pages_of_another_day_are_asked_again(begin, tmp_path):
    begin().save("a.json", "https://h/a", 200, b"a")
    journal = tmp_path / "c.partial" / JOURNAL
    head, _, rest = journal.read_text().partition("\n")
    old = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    journal.write_text(json.dumps(json.loads(head) | {"started": old}) + "\n" + rest)
    assert begin().stored("https://h/a") is None
    assert not (tmp_path / "c.partial" / "a.json").exists()


def test_the_first_start_counts(begin):
    first = begin()
    again = begin()
    assert again.started.isoformat(timespec="seconds") == first.started.isoformat(timespec="seconds")


def test_killed_while_it_was_finished(begin, tmp_path):
    collection = begin()
    finish(collection)
    (tmp_path / "c").rename(tmp_path / "c.partial")
    assert begin().stored("https://h/users") is None


def test_names_that_differ_by_case_alone(begin, tmp_path):
    collection = begin()
    for name in ("a", "A"):
        collection.save(f"{name}.json", f"https://h/{name}", 200, name.encode())
    collection.finish()
    files = [r["file"] for r in json.loads((tmp_path / "c" / "collected.json").read_text())["responses"]]
    assert files == ["a.json", "A~2.json"]


@given(st.text(max_size=200))
def test_a_name_is_one_safe_part(text):
    name = safe_name(text)
    assert name
    assert len(name) <= LONGEST
    assert name.isascii()
    assert not set(name) & set('/\\:*?"<>|. \0')
    assert name.casefold() not in {"con", "nul", "com1", "lpt9"}


@pytest.mark.parametrize(
    "text", ["..", ".", "", "/etc/passwd", "con", "NUL", "C:\\x", "a\0b", "~", "\ud800", "x" * 999]
)
def test_names_of_enemies(text, tmp_path):
    assert (tmp_path / f"{safe_name(text)}-0001.json").parent == tmp_path
    assert safe_name(text) not in {"", ".", ".."}


@given(st.text(max_size=100), st.text(max_size=100))
def test_two_ids_never_share_a_name(one, other):
    assert (safe_name(one) == safe_name(other)) is (one == other)


def test_ids_stay_as_they_are():
    assert safe_name("c1d9fcbb-cba5-40b0-bf6b-527006585f4b") == "c1d9fcbb-cba5-40b0-bf6b-527006585f4b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cm01", Endpoint("https", "cm01", 443)),
        ("https://CM01.contoso.com/", Endpoint("https", "cm01.contoso.com", 443)),
        ("cm01:8443", Endpoint("https", "cm01", 8443)),
        ("http://127.0.0.1:80", Endpoint("http", "127.0.0.1", 80)),
        ("http://[::1]:8080", Endpoint("http", "::1", 8080)),
        ("http://localhost", Endpoint("http", "localhost", 80)),
    ],
)
def test_servers(text, expected):
    assert endpoint(text) == expected
    assert endpoint(expected.base) == expected


def test_links_on_the_same_host():
    here = endpoint("cm01.contoso.com")
    assert (
        here.next("https://cm01.contoso.com/a/b", "https://CM01.contoso.com:443/c") == "https://CM01.contoso.com:443/c"
    )
    assert here.next("https://cm01.contoso.com/a/b?x=1", "b?$skip=2") == "https://cm01.contoso.com/a/b?$skip=2"


def test_errors_are_safe_and_can_be_sent():
    error = LiveError("`\x1b[31m` is bad", "say more")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.help) == ("`\\x1b[31m` is bad", "say more")


def test_without_a_terminal_only_what_must_be_read_is_told(capsys):
    progress = on_stderr()
    assert isinstance(progress, Lines)
    progress.start("users", 3)
    progress.advance()
    progress.tell("enter the code \x1b")
    progress.stop()
    assert capsys.readouterr() == ("", "enter the code \\x1b\n")


def test_bars_on_a_terminal(monkeypatch):
    class Screen(io.StringIO):
        def isatty(self):
            return True

    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    progress = on_stderr()
    assert isinstance(progress, Terminal)
    progress.start("users [bold]", 3)
    progress.advance(2)
    progress.tell("a [line]")
    progress.start("groups")
    progress.stop()
    assert "a [line]" in screen.getvalue()


def test_silence(capsys):
    silent = Silent()
    silent.start("x")
    silent.advance()
    silent.tell("x")
    silent.stop()
    assert capsys.readouterr() == ("", "")
