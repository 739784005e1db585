"""Reviews as files: the same rows in every format, whole or not at all."""

from __future__ import annotations

import errno
import gc
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from permcheck.api import load
from permcheck.errors import QuestionError, UnknownNameError, WriteError
from permcheck.model.state import Verdict
from permcheck.review.review import VERDICTS, By
from permcheck.review.table import COLUMNS, DETAILS, FEW, SAID, SIGN_OFF, name_of, title
from permcheck.review.write import formats, frames, together
from permcheck.review.write.cells import neutral, original
from permcheck.review.write.csv_file import HEADER, SETS
from permcheck.review.write.formats import FORMATS, write_review
from permcheck.review.write.listing import Listed, Listing, What
from permcheck.review.write.population import FORMAT
from reviewed import (
    ABOUT,
    ALL,
    HOSTILE,
    ROOT,
    as_text,
    contoso,
    crowd,
    csv_rows,
    json_rows,
    parquet_rows,
    population_of,
    written,
)
from strategies import load_dict

ROWS = [kind for kind in FORMATS if kind != "markdown"]
OPEN = What((Verdict.ALLOW, Verdict.UNDETERMINED), by="user")
LINE = re.compile(r"^\| `(\w+)` \| (.*) \|$", re.MULTILINE)


# --- columns ---------------------------------------------------------------
def test_the_page_describes_every_column() -> None:
    text = (ROOT / "docs" / "review.md").read_text("utf-8")
    told = LINE.findall(text)
    said, details = ([(c.name, f"{c.kind} | {c.says}") for c in columns] for columns in (SAID, DETAILS))
    start = told.index(said[0])
    wanted = [*said, *SIGN_OFF.items(), *details]
    assert told[start : start + len(wanted)] == wanted


def test_names_are_snake_case_and_titles_lead_back_to_them() -> None:
    names = [column.name for column in COLUMNS] + list(SIGN_OFF)
    assert len(set(names)) == len(names) == len(HEADER)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)] == []
    assert [name_of(title(name)) for name in names] == names == [name_of(name) for name in names]


# --- the rows --------------------------------------------------------------
@pytest.fixture(name="folder", scope="module")
def a_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a review of contoso in every format."""
    folder = tmp_path_factory.mktemp("contoso")
    for kind, end in FORMATS.items():
        (folder / kind).mkdir()
        write_review(contoso(), folder / kind / f"review{end}", ABOUT, ALL)
    return folder


def test_every_format_has_the_same_rows(folder: Path) -> None:
    lines, sets = json_rows(folder / "jsonl" / "review.jsonl")
    assert sets == []
    assert parquet_rows(folder / "parquet" / "review.parquet") == lines
    found = csv_rows(folder / "csv" / "review.csv")
    names = [column.name for column in COLUMNS]
    assert [{name: row[name] for name in names} for row in found] == [
        {name: as_text(row[name]) for name in names} for row in lines
    ]
    assert {row[name] for row in found for name in SIGN_OFF} == {""}
    assert len({row["row_id"] for row in found}) == len(found)


def test_the_rows_are_the_answers(folder: Path) -> None:
    review = contoso()
    lines, _ = json_rows(folder / "jsonl" / "review.jsonl")
    assert sum(row["cells"] for row in lines) == review.total.cells
    estate = review.view.engine.tables
    assert {user for row in lines for user in row["users"]} == {user.upn for user in estate.users.values()}
    for row in lines:
        assert row["cells"] == row["user_count"] * (row["device_count"] or 1)
        assert (row["verdict"] == "deny") == bool(row["unmet"]) or row["verdict"] == "undetermined"
        assert not row["path"] or row["verdict"] == "allow"
        assert row["verdict"] == "allow" or row["reason"]


def test_csv_is_what_spreadsheets_open(folder: Path) -> None:
    data = (folder / "csv" / "review.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbfverdict,users,")
    assert data.count(b"\r\n") == data.count(b"\n") > 1000
    assert tuple(data.split(b"\r\n", 1)[0].decode("utf-8-sig").split(",")) == HEADER


def test_parquet_is_typed(folder: Path) -> None:
    form = pq.read_schema(folder / "parquet" / "review.parquet")
    kinds = {"text": "string", "list": "list<", "count": "int64", "flag": "bool"}
    for column in COLUMNS:
        assert str(form.field(column.name).type).startswith(kinds[column.kind])
        assert form.field(column.name).metadata == {b"says": column.says.encode()}


def test_parquet_is_written_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "TOGETHER", 100)
    written(contoso(), tmp_path / "review.parquet")
    file = pq.ParquetFile(tmp_path / "review.parquet")
    assert file.num_row_groups == -(-file.metadata.num_rows // 100) > 10


@pytest.mark.parametrize("kind", ROWS)
def test_the_same_review_is_the_same_file(kind: str, tmp_path: Path, folder: Path) -> None:
    target = tmp_path / f"review{FORMATS[kind]}"
    written(contoso(), target)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (folder / kind / path.name).read_bytes(), path.name


@pytest.mark.parametrize("by", ["class", "user", "cell"])
def test_rows_are_as_wide_as_they_are_asked_for(by: By, tmp_path: Path) -> None:
    written(contoso(), tmp_path / "review.jsonl", What(by=by))
    rows, _ = json_rows(tmp_path / "review.jsonl")
    assert sum(row["cells"] for row in rows) == contoso().total.cells
    assert by == "class" or {row["user_count"] for row in rows} == {1}
    assert by != "cell" or {row["cells"] for row in rows} == {1}


def test_one_user_and_no_row_at_all(tmp_path: Path) -> None:
    estate = load_dict({"complete": True, "hierarchies": [{"id": "P01"}], "users": [{"upn": "u@contoso.com"}]})
    review = estate.review(actions=["target:hierarchy"])
    assert review.total.allow == 0
    for kind, end in FORMATS.items():
        write_review(review, tmp_path / f"review{end}", ABOUT, What((Verdict.ALLOW,)))
        assert kind in {"markdown", "xlsx"} or population_of(tmp_path / "review")["table"]["rows"] == 0
    assert csv_rows(tmp_path / "review.csv") == []
    assert (tmp_path / "review.csv").read_text("utf-8-sig").split("\n")[0].rstrip() == ",".join(HEADER)
    assert (tmp_path / "review.jsonl").read_text() == ""
    assert pq.read_table(tmp_path / "review.parquet").shape == (0, len(COLUMNS))
    assert "Nobody, for certain." in (tmp_path / "review.md").read_text("utf-8")
    assert review.to_polars([Verdict.ALLOW]).shape == review.to_arrow([Verdict.ALLOW]).shape == (0, len(COLUMNS))


# --- hostile names ---------------------------------------------------------
@given(st.text(alphabet=st.sampled_from("'=+-@\t\r\na;\uff1d\uff20"), max_size=6) | st.text())
def test_a_neutral_cell_is_no_formula_and_can_be_undone(text: str) -> None:
    cell = neutral(text)
    assert original(cell) == text
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
    assert cell in {text, f"'{text}"}


def test_names_survive_every_format(tmp_path: Path) -> None:
    review = crowd().review(actions=["view-scripts"])
    for kind in ("csv", "jsonl", "parquet"):
        written(review, tmp_path / f"review{FORMATS[kind]}", What(by="user"))
    lines, _ = json_rows(tmp_path / "review.jsonl")
    assert {row["name"] for row in lines} == set(HOSTILE)
    assert {group for row in lines for group in row["groups"]} == {HOSTILE[1]}
    assert [row["name"] for row in csv_rows(tmp_path / "review.csv")] == [row["name"] for row in lines]
    assert [row["name"] for row in parquet_rows(tmp_path / "review.parquet")] == [row["name"] for row in lines]
    assert not re.search(rb"(?m)(^|,)\"?[=+@-]", (tmp_path / "review.csv").read_bytes())


def test_markdown_obeys_no_name(tmp_path: Path) -> None:
    written(crowd(users=3).review(), tmp_path / "review.md")
    text = (tmp_path / "review.md").read_text("utf-8")
    assert "http://" not in text
    assert "@contoso.com" not in text
    assert "\\|" not in text or "| \\|" in text
    assert "user00&#64;contoso.com" in text


# --- sets ------------------------------------------------------------------
def test_long_sets_are_listed_in_a_second_table(tmp_path: Path) -> None:
    review = crowd().review(actions=["view-scripts"])
    what = What((Verdict.ALLOW, Verdict.DENY, Verdict.UNDETERMINED))
    assert written(review, tmp_path / "r.csv", what) == ["r.csv", "r.sets.csv", "r.population.json"]
    assert written(review, tmp_path / "r.parquet", what) == ["r.parquet", "r.sets.parquet", "r.population.json"]
    assert written(review, tmp_path / "r.jsonl", what) == ["r.jsonl", "r.population.json"]
    lines, sets = json_rows(tmp_path / "r.jsonl")
    named = {row["users"][0] for row in lines if row["user_count"] > FEW}
    named |= {row["devices"][0] for row in lines if row["device_count"] > FEW}
    assert {one["set"] for one in sets} == named
    assert {one["kind"] for one in sets} == {"users", "devices"}
    flat = [{"set": one["set"], "kind": one["kind"], "member": name} for one in sets for name in one["members"]]
    assert csv_rows(tmp_path / "r.sets.csv") == parquet_rows(tmp_path / "r.sets.parquet") == flat
    assert len(flat) == 60
    assert (tmp_path / "r.sets.csv").read_text("utf-8-sig").startswith(",".join(SETS))


def test_a_set_has_the_same_name_in_every_review() -> None:
    one, two = (
        {row["devices"] for row in crowd(users=count).review(actions=["view-scripts"]).records()} for count in (25, 30)
    )
    assert one == two


def test_sets_of_an_earlier_review_do_not_stay(tmp_path: Path) -> None:
    review = crowd().review(actions=["view-scripts"])
    for end in (".csv", ".parquet"):
        written(review, tmp_path / f"r{end}")
        written(review, tmp_path / f"r{end}", What(by="cell"))
    assert csv_rows(tmp_path / "r.sets.csv") == parquet_rows(tmp_path / "r.sets.parquet") == []


def test_the_library_names_the_members_of_a_set() -> None:
    review = crowd().review(actions=["view-scripts"])
    sets = {name for row in review.records() for name in row["devices"] if row["device_count"] > FEW}
    assert [review.members(name)[0] for name in sets] == ["PC-0000"]
    with pytest.raises(UnknownNameError, match="no set is called"):
        review.members("devices-1")


# --- the population --------------------------------------------------------
def test_the_population_adds_up(folder: Path) -> None:
    for kind in ("csv", "jsonl", "parquet"):
        told = population_of(folder / kind / "review")
        totals = told["totals"]
        assert told["permcheck"] == FORMAT
        assert told["made_at"] == "2026-11-21T18:00:00Z"
        assert totals["allow"] + totals["undetermined"] + totals["deny"] == totals["cells"] == told["table"]["cells"]
        for one in told["actions"]:
            assert one["allow"] + one["undetermined"] + one["deny"] == one["cells"] == one["listed"]
        assert sum(one["cells"] for one in told["actions"]) == totals["cells"]
        assert told["not_listed"] == []
        table = folder / kind / told["table"]["file"]
        assert hashlib.sha256(table.read_bytes()).hexdigest() == told["table"]["sha256"]
    lines = (folder / "jsonl" / "review.jsonl").read_bytes()
    assert hashlib.sha256(lines).hexdigest() == told["table"]["rows_sha256"]


def test_the_population_knows_the_files(tmp_path: Path) -> None:
    written(contoso(), tmp_path / "r.csv", OPEN)
    told = population_of(tmp_path / "r")
    sources = {Path(one["file"]).name: one for one in told["estate"]["sources"]}
    assert set(sources) == {path.name for path in (ROOT / "examples" / "contoso").glob("*.yaml")}
    for one in sources.values():
        assert one["sha256"] == hashlib.sha256(Path(one["file"]).read_bytes()).hexdigest()
    assert told["estate"]["counts"]["users"] == len(contoso().view.engine.tables.users)
    assert told["tool"]["version"] == "1.2.3"
    denied = f"{contoso().total.deny:,} answers deny"
    assert told["not_listed"] == [{"what": denied, "why": "not asked for; the totals count them"}]


def test_the_population_tells_what_was_asked(tmp_path: Path) -> None:
    estate = load_dict({"hierarchies": [{"id": "P01"}], "users": [{"upn": "a@x.com"}, {"upn": "b@x.com"}]})
    zone = timezone(timedelta(hours=2))
    about = ABOUT._replace(at=datetime(2026, 1, 1, 1, tzinfo=zone), filters={"users": ("a@x.com",)}, changes=("x=on",))
    review = estate.with_settings(strict=True).review(users=["a@x.com"], actions=["import-azure-app"])
    write_review(review, tmp_path / "r.csv", about, ALL)
    told = population_of(tmp_path / "r")
    assert told["made_at"] == "2025-12-31T23:00:00Z"
    assert told["asked"]["filters"] == {"users": ["a@x.com"]}
    assert told["asked"]["strict"]
    assert told["estate"]["changes"] == ["x=on"]
    assert "groups" in told["estate"]["may_lack_entries"]
    assert told["not_listed"][0]["what"] == "1 of 2 users"
    assert "actions" in told["not_listed"][-1]["what"]


def test_the_hash_of_the_rows_is_the_same_in_every_format(tmp_path: Path) -> None:
    found = set()
    for kind in ("csv", "jsonl", "parquet"):
        written(contoso(), tmp_path / f"r{FORMATS[kind]}")
        found.add(population_of(tmp_path / "r")["table"]["rows_sha256"])
    assert len(found) == 1


def test_rows_that_do_not_add_up_are_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    review = contoso()
    real = type(review).rows
    monkeypatch.setattr(type(review), "rows", lambda *a, **k: (row for i, row in enumerate(real(*a, **k)) if i))
    with pytest.raises(AssertionError, match="not the answers that were counted"):
        written(review, tmp_path / "r.csv")
    assert list(tmp_path.iterdir()) == []


# --- the summary -----------------------------------------------------------
def test_the_summary_says_who_may_act_whatever_is_listed(tmp_path: Path) -> None:
    texts = []
    for verdicts in (VERDICTS, (Verdict.DENY,)):
        written(contoso(), tmp_path / "r.md", What(verdicts))
        texts.append((tmp_path / "r.md").read_text("utf-8"))
    assert texts[0] == texts[1]
    total = contoso().total
    assert f"| All |  | {total.allow:,} | {total.undetermined:,} | {total.deny:,} | {total.cells:,} |" in texts[0]
    assert "| cm-console&#64;contoso.com | start-cmpivot-console, " in texts[0]
    assert "| no document says what is needed here | " in texts[0]
    assert "(discovery-from-2103=either)" in texts[0]


# --- frames ----------------------------------------------------------------
def test_frames_are_the_records() -> None:
    review = contoso()
    records = [
        {name: list(value) if isinstance(value, tuple) else value for name, value in one.items()}
        for one in review.records([Verdict.ALLOW], by="user")
    ]
    assert review.to_arrow([Verdict.ALLOW], by="user").to_pylist() == records
    frame = review.to_polars([Verdict.ALLOW], by="user")
    assert frame.to_dicts() == records
    assert frame.schema["users"] == pl.List(pl.String)
    assert frame["cells"].sum() == review.total.allow


@pytest.mark.parametrize(
    ("package", "call", "extra"),
    [
        ("pyarrow", lambda review, _: review.to_arrow(), "permcheck[bulk]"),
        ("polars", lambda review, _: review.to_polars(), "permcheck[frame]"),
        ("pandas", lambda review, _: review.to_pandas(), "pandas"),
        ("pyarrow", lambda review, folder: written(review, folder / "r.parquet"), "permcheck[bulk]"),
        ("xlsxwriter", lambda review, folder: written(review, folder / "r.xlsx"), "permcheck[xlsx]"),
    ],
)
def test_what_is_not_installed_is_named(
    package: str, call: Any, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"{package}.parquet", raising=False)
    with pytest.raises(QuestionError, match=f"{package} is not installed") as caught:
        call(contoso(), tmp_path)
    assert caught.value.help == f'pip install "{extra}"'
    assert list(tmp_path.iterdir()) == []


def test_a_format_is_known_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(QuestionError, match="not known by its name"):
        written(contoso(), tmp_path / "review.doc")
    with pytest.raises(QuestionError, match="no format is called `doc`"):
        write_review(contoso(), tmp_path / "review", ABOUT, ALL, format_="doc")
    assert write_review(contoso(), tmp_path / "REVIEW.CSV", ABOUT, OPEN)[0].name == "REVIEW.CSV"
    assert write_review(contoso(), tmp_path / "review", ABOUT, OPEN, format_="csv")[0].name == "review"


# --- all or nothing --------------------------------------------------------
FULL_DISK = """
import resource, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from reviewed import contoso, written
from permcheck.errors import WriteError
review, target = contoso(), Path({target!r})
for kind in ("markdown", target.suffix[1:]):  # what is imported late is not what is limited
    try:
        list(review.records())
        written(review, target.with_name("warm" + target.suffix))
    except WriteError:
        pass
for path in target.parent.glob("warm*"):
    path.unlink()
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    written(review, target)
except WriteError as error:
    print(error, "|", error.help)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no limits of a process")
@pytest.mark.parametrize("kind", FORMATS)
def test_a_full_disk_is_an_error_with_a_way_out(kind: str, tmp_path: Path) -> None:
    target = tmp_path / f"review{FORMATS[kind]}"
    target.write_text("of last quarter")
    program = FULL_DISK.format(tests=str(Path(__file__).parent), target=str(target))
    run = subprocess.run([sys.executable, "-B", "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.stderr == ""
    assert run.stdout.startswith(f"can't write {target}: file too large | make room"), run.stdout
    assert target.read_text() == "of last quarter"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("kind", FORMATS)
def test_an_interruption_leaves_nothing(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Listing.__iter__

    def interrupted(self: Listing) -> Iterator[Listed]:
        for number, one in enumerate(real(self)):
            if number == 50:
                raise KeyboardInterrupt
            yield one

    monkeypatch.setattr(Listing, "__iter__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        written(contoso(), tmp_path / f"review{FORMATS[kind]}")
    assert list(tmp_path.iterdir()) == []


def test_files_appear_together_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "r.csv").write_text("old")
    real = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if self.name == "r.population.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    review = crowd().review(actions=["view-scripts"])
    with pytest.raises(WriteError, match="no space left on device"):
        written(review, tmp_path / "r.csv")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"r.csv": "old"}


@pytest.mark.parametrize("linked", [True, False])
def test_what_was_there_comes_back(linked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    for name in ("r.csv", "r.sets.csv"):
        (tmp_path / name).write_text(f"old {name}")
    (tmp_path / "r.population.json").mkdir()
    if not linked:
        monkeypatch.setattr(together.os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no links")))
    settle = together._settle
    monkeypatch.setattr(together, "_settle", lambda new, to: None if to.is_dir() else settle(new, to))
    with pytest.raises(WriteError, match="directory"):
        written(crowd().review(actions=["view-scripts"]), tmp_path / "r.csv")
    assert (tmp_path / "r.csv").read_text() == "old r.csv"
    assert (tmp_path / "r.sets.csv").read_text() == "old r.sets.csv"
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    ("target", "reason", "help_"),
    [
        ("no/such/r.csv", "no such file or directory", "make the folder first; nothing was changed"),
        ("folder.csv", "it is no file", "name a file; nothing was changed"),
        ("file/r.csv", "not a directory", "write to another place; nothing was changed"),
    ],
)
def test_a_place_that_can_not_be_written(target: str, reason: str, help_: str, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(WriteError) as caught:
        written(contoso(), tmp_path / target)
    assert (caught.value.reason, caught.value.help) == (reason, help_)
    assert str(caught.value) == f"can't write {tmp_path / target}: {reason}"


def test_a_folder_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(together.tempfile, "mkdtemp", refused)
    with pytest.raises(WriteError, match="permission denied") as caught:
        written(contoso(), tmp_path / "r.csv")
    assert caught.value.help == "write to a folder of your own; nothing was changed"


@pytest.mark.skipif(sys.platform == "win32", reason="permissions and links of Unix")
def test_permissions_and_links_stay(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "kept.csv"
    real.write_text("old")
    real.chmod(0o600)
    (tmp_path / "r.csv").symlink_to(real)
    written(contoso(), tmp_path / "r.csv", OPEN)
    assert (tmp_path / "r.csv").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600
    assert real.read_text("utf-8-sig").startswith("verdict,")
    assert sorted(path.name for path in real.parent.iterdir()) == ["kept.csv", "kept.population.json"]


# --- memory ----------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize("kind", ROWS)
def test_memory_does_not_grow_with_the_rows(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "TOGETHER", 200)
    review = contoso()
    one = next(iter(Listing(review, ALL)))
    peaks = []

    def rows(count: int) -> Iterator[Any]:
        for number in range(count):
            if number % 100 == 0:
                gc.collect()  # what waits to be collected is not held
            yield one

    for count in (500, 500, 3000):
        monkeypatch.setattr(Listing, "__iter__", lambda _, count=count: rows(count))
        tracemalloc.start()
        written(review, tmp_path / f"r{FORMATS[kind]}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < peaks[1] + 300_000


def test_a_module_is_imported_when_it_is_asked_for() -> None:
    program = "import sys, permcheck.review.write.formats; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert {"pyarrow", "polars", "xlsxwriter", "csv", "numpy"} & set(loaded) == set()
    assert formats.__name__ in loaded


def test_json_lines_hold_nothing_that_json_does_not_know(folder: Path) -> None:
    for line in (folder / "jsonl" / "review.jsonl").read_text("utf-8").splitlines():
        assert json.loads(line, parse_constant=pytest.fail)


def test_what_speaks_for_keeping_or_removing_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "estate"
    shutil.copytree(ROOT / "examples" / "contoso", folder)
    (folder / "usage.yaml").write_text(
        "usage:\n"
        "- source: status messages\n"
        "  since: '2026-01-01'\n"
        "  until: '2026-06-30'\n"
        "  hierarchy: PRD\n"
        "  actions: [run-script]\n"
        "  used:\n"
        "  - {user: field-service@contoso.com, action: run-script, at: '2026-03-01'}\n",
        "utf-8",
    )
    said: dict[tuple[str, str, str], set[Any]] = {}
    for one in load(folder).review(actions=["run-script", "run-cmpivot"]).records(by="user"):
        said.setdefault((one["users"][0], one["action"], one["verdict"]), set()).add(one["advice"])
    assert said["cm-admin@contoso.com", "run-script", "allow"] == {"remove: its use is logged, and there is none", None}
    assert said["field-service@contoso.com", "run-script", "allow"] == {"keep: it is used", None}
    open_ = [advice for (_, _, verdict), advice in said.items() if verdict == "undetermined"]
    assert open_
    assert all(advice == {"investigate: facts are missing"} for advice in open_)
    assert all(advice == {None} for (_, _, verdict), advice in said.items() if verdict == "deny")
