"""Many tenants, and tenants in parts: the parts add up to the whole, and what is on the disk is whole or not there."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from permcheck.api import Estate
from permcheck.errors import LoadError, Problem, QuestionError, UnknownNameError, WriteError
from permcheck.model.state import Verdict
from permcheck.review.review import Review, Total
from permcheck.scale import run
from permcheck.scale.files import finished
from permcheck.scale.merge import Merged, merge
from permcheck.scale.shard import part_of, review_shard, reviews_of
from permcheck.scale.values import Asked, Shard, ShardResult, Work, Written
from scaled import (
    ASKED,
    BROKEN,
    files_in,
    manifest_of,
    reviewed,
    rows_of,
    serial,
    shard_of,
    sum_of,
    totals_alone,
    unfinished,
    write_tenants,
)
from strategies import Data, devices, load_dict, partial_estates
from workers import by_another_version, elsewhere, faulty

NAMES = ("contoso", "001", "a=b c%é*?", "日本")


@pytest.fixture(name="here", autouse=True)
def everything_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(run.ENGINES, "local", serial)  # type: ignore[arg-type]


# --- parts ---------------------------------------------------------------------


@st.composite
def crowded(draw: st.DrawFn) -> Data:
    """An estate with more devices than one of each hierarchy, and some facts unknown."""
    data = draw(partial_estates())[0]
    for hierarchy in ("P01", "P02"):
        inside = [c for c in data["collections"] if c["hierarchy"] == hierarchy]
        for number in range(draw(st.integers(0, 3))):
            data["devices"].append(draw(devices(f"PC-{hierarchy}-{number}", hierarchy, inside)))
    return data


ANYTHING = ("run-cmpivot", "run-script", "view-timeline", "sync-machine-policy", "view-recovery-keys")
ELSEWHERE = ("set-use-intune-rbac", "set-enforce-cm-rbac", "create-script")


def shard(part: int, parts: int, asked: Asked) -> Shard:
    return Shard("t", "t.json", "", "out", asked, part, parts)


def cells_of(reviews: list[Review]) -> list[str]:
    """Every cell with everything that is said of it."""
    return sorted(json.dumps(record) for review in reviews for record in review.records(by="cell"))


@settings(max_examples=30)
@given(crowded(), st.integers(2, 5), st.sets(st.sampled_from(ANYTHING + ELSEWHERE), min_size=1, max_size=3), st.data())
def test_parts_are_the_whole(data: Data, parts: int, actions: set[str], more: st.DataObject) -> None:
    """Each cell is in one part, and says there what it says in the whole."""
    estate = load_dict(data)
    names = [device["name"] for device in data["devices"]]
    chosen = tuple(more.draw(st.one_of(st.just([]), st.lists(st.sampled_from(names), min_size=1, unique=True))))
    asked = Asked(actions=tuple(sorted(actions)), devices=chosen)
    divided = [review for part in range(parts) for review in reviews_of(estate, shard(part, parts, asked))]
    whole = estate.review(asked.users, asked.actions, asked.devices)
    assert cells_of(divided) == cells_of([whole])
    assert sum_of({str(k): v for k, v in one.totals.items()} for one in divided) == {
        str(act): total for act, total in whole.totals.items()
    }


def test_one_part_is_the_review_itself(estate: Estate) -> None:
    (one,) = reviews_of(estate, shard(0, 1, ASKED))
    assert one.selection == estate.review(actions=ASKED.actions).selection


@pytest.fixture(name="estate")
def an_estate(tmp_path: Path) -> Estate:
    from permcheck.api import load

    return load(write_tenants(tmp_path, "contoso") / "contoso")


def test_a_device_stays_in_its_part() -> None:
    """On every machine and in every version: what an earlier run finished is of the same devices."""
    assert [part_of(f"prd/pc-{number:04}", 8) for number in range(8)] == [4, 2, 0, 6, 5, 3, 1, 7]
    counts = [0] * 8
    for number in range(80_000):
        counts[part_of(f"prd/pc-{number:06}", 8)] += 1
    assert max(counts) < 1.05 * min(counts)


def test_a_shard_and_its_result_survive_a_pickle(tmp_path: Path) -> None:
    asked = shard_of(write_tenants(tmp_path / "in", "contoso") / "contoso", tmp_path / "out", 1, 3)
    result = review_shard(asked)
    assert pickle.loads(pickle.dumps(asked)) == asked
    assert pickle.loads(pickle.dumps(result)) == result
    assert result.rows
    assert not result.problems


def test_a_shard_done_twice_is_the_same(tmp_path: Path) -> None:
    """Byte for byte: the hash of a file is part of its result."""
    asked = shard_of(write_tenants(tmp_path / "in", "contoso") / "contoso", tmp_path / "out")
    first = review_shard(asked)
    assert review_shard(asked) == first == finished(asked)
    assert sum(row["cells"] for row in rows_of(tmp_path / "out", asked)) == merge([first]).total.cells


# --- merging --------------------------------------------------------------------

PROBLEM = Problem("t", 0, 0, "killed", "it was killed")
RESULTS = st.builds(
    ShardResult,
    tenant=st.sampled_from(["a", "b"]),
    part=st.integers(0, 2),
    parts=st.just(3),
    key=st.sampled_from(["k", "l"]),
    totals=st.lists(st.tuples(st.sampled_from("xy"), st.builds(Total, st.integers(0, 9))), max_size=2).map(tuple),
    files=st.lists(st.builds(Written, st.just("f"), st.integers(0, 5), st.just(1), st.just("h")), max_size=1).map(
        tuple
    ),
    problems=st.sampled_from([(), (), (PROBLEM,)]),
)
MERGED = st.lists(RESULTS, max_size=4).map(merge)


@given(MERGED, MERGED, MERGED)
def test_merging_has_no_order(one: Merged, two: Merged, three: Merged) -> None:
    assert one | two == two | one
    assert (one | two) | three == one | (two | three)
    assert one | one == one == one | Merged()


@given(st.lists(RESULTS, max_size=6), st.randoms(use_true_random=False))
def test_a_result_that_comes_twice_counts_once(results: list[ShardResult], random: Any) -> None:
    again = results * 2
    random.shuffle(again)
    assert merge(again) == merge(results)
    assert list(merge(again).totals) == list(merge(results).totals)


@given(RESULTS)
def test_a_shard_that_succeeded_at_last_has_no_problem(result: ShardResult) -> None:
    good, bad = result._replace(problems=()), result._replace(problems=(PROBLEM,), totals=(), files=())
    assert merge([bad, good]) == merge([good, bad]) == merge([good])


# --- tenants ---------------------------------------------------------------------


def test_every_tenant_counts(tmp_path: Path) -> None:
    tenants = write_tenants(tmp_path / "in", *NAMES)
    for parts in (1, 3):
        outcome = reviewed(tenants, tmp_path / "out", parts=parts)
        assert outcome.merged.totals == sum_of(totals_alone(tenants / name) for name in NAMES)
        assert outcome.merged.problems == ()
        told = manifest_of(tmp_path / "out")
        assert told["complete"]
        assert files_in(tmp_path / "out") == {
            "manifest.json",
            *(file["name"] for one in told["tenants"] for file in one["files"]),
        }
        assert len(files_in(tmp_path / "out")) == 1 + 2 * parts * len(NAMES)
        assert sum(one["totals"]["cells"] for one in told["tenants"]) == told["totals"]["cells"]


@pytest.mark.parametrize("names", [NAMES, ("001", "002")], ids=["text", "digits"])
def test_duckdb_reads_the_set(tmp_path: Path, names: tuple[str, ...]) -> None:
    """The sums of its rows are those of the manifest, tenant by tenant, and sets are found by their names."""
    duckdb = pytest.importorskip("duckdb")
    reviewed(write_tenants(tmp_path / "in", *names), tmp_path / "out", parts=2)
    told = manifest_of(tmp_path / "out")
    table = f"read_parquet('{tmp_path}/out/rows/**/*.parquet', hive_types = {{'tenant': VARCHAR}})"
    found = duckdb.sql(f"SELECT tenant, verdict, sum(cells), count(*) FROM {table} GROUP BY ALL").fetchall()
    for one in told["tenants"]:
        mine = {verdict: cells for tenant, verdict, cells, _ in found if tenant == one["tenant"]}
        assert {v.value: mine.get(v.value, 0) for v in Verdict} | {"cells": sum(mine.values())} == one["totals"]
    assert sum(count for *_, count in found) == told["rows"]
    assert {tenant for tenant, *_ in found} == set(names)


def test_members_of_long_sets_are_beside_the_rows(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "crowd.json").write_text(json.dumps(crowd()), "utf-8")
    reviewed(tmp_path / "in", tmp_path / "out", parts=2, asked=Asked(actions=("run-cmpivot",)))
    rows, sets = (f"read_parquet('{tmp_path}/out/{kind}/**/*.parquet')" for kind in ("rows", "sets"))
    found = duckdb.sql(
        f"SELECT any_value(user_count), count(DISTINCT member) FROM {rows} r JOIN {sets} s"
        " ON s.set = r.users[1] AND s.tenant = r.tenant GROUP BY r.row_id"
    ).fetchall()
    assert found
    assert all(size == members == 30 for size, members in found)


def crowd() -> Data:
    names = [f"user{number:02}@contoso.com" for number in range(30)]
    return {
        "complete": True,
        "tenant": {"use_intune_rbac": "On"},
        "hierarchies": [{"id": "P01", "version": 2211, "enforce_configmgr_rbac": "cleared"}],
        "users": [{"upn": upn, "synced": True, "enabled": True} for upn in names],
        "collections": [{"id": "SMS00001", "name": "All Systems"}],
        "devices": [{"name": f"PC-{number}"} for number in range(60)],
    }


def test_a_tenant_that_cannot_be_used_is_told_and_the_others_are_done(tmp_path: Path) -> None:
    tenants = write_tenants(tmp_path / "in", "contoso", "gone")
    (tenants / "broken.yaml").write_text(BROKEN, "utf-8")
    shutil.rmtree(tenants / "gone")
    (tenants / "gone").mkdir()
    outcome = reviewed(tenants, tmp_path / "out", parts=2)
    assert {(Path(p.file).name, p.id) for p in outcome.merged.problems} == {
        ("broken.yaml", "syntax"),
        ("gone", "empty-folder"),
    }
    assert outcome.merged.totals == totals_alone(tenants / "contoso")
    told = manifest_of(tmp_path / "out")
    assert [(one["tenant"], one["complete"], one["missing_parts"]) for one in told["tenants"]] == [
        ("broken", False, [0, 1]),
        ("contoso", True, []),
        ("gone", False, [0, 1]),
    ]
    assert not told["complete"]


def test_a_tenant_that_lacks_what_was_named_is_a_problem_of_that_tenant(tmp_path: Path) -> None:
    tenants = write_tenants(tmp_path / "in", "contoso")
    (tenants / "other.json").write_text(json.dumps(crowd()), "utf-8")
    outcome = reviewed(tenants, tmp_path / "out", asked=ASKED._replace(users=("helpdesk@contoso.com",)))
    (problem,) = outcome.merged.problems
    assert (Path(problem.file).name, problem.id) == ("other.json", "question")
    assert problem.message == "no user is called `helpdesk@contoso.com`"
    assert outcome.merged.total.cells


def test_files_that_change_while_they_are_read_are_no_answer(tmp_path: Path) -> None:
    tenant = write_tenants(tmp_path / "in", "contoso") / "contoso"
    asked = shard_of(tenant, tmp_path / "out")
    (tenant / "more.yaml").write_text("users: [{upn: new@contoso.com}]", "utf-8")
    assert [problem.id for problem in review_shard(asked).problems] == ["changed"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("work", "id_"), [(by_another_version, "version"), (elsewhere, "elsewhere")])
def test_a_result_that_cannot_be_believed_is_a_problem(tmp_path: Path, work: Work, id_: str) -> None:
    outcome = reviewed(write_tenants(tmp_path / "in", "contoso"), tmp_path / "out", work=work)
    assert [problem.id for problem in outcome.merged.problems] == [id_]
    assert manifest_of(tmp_path / "out")["totals"]["cells"] == 0
    assert files_in(tmp_path / "out") == {"manifest.json"}


def test_a_fault_of_the_program_is_no_problem_of_a_tenant(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        reviewed(write_tenants(tmp_path / "in", "contoso"), tmp_path / "out", work=faulty)
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_strict_readings_and_changes_reach_the_parts(tmp_path: Path) -> None:
    from permcheck.api import load

    tenants = write_tenants(tmp_path / "in", "contoso")
    asked = Asked(
        actions=("run-script",),
        strict=True,
        changes=("use-intune-rbac=off",),
        readings=(("timeline-notify", "sync-only"),),
        edition="2022-07",
    )
    outcome = reviewed(tenants, tmp_path / "out", asked=asked, parts=2)
    estate = load(tenants / "contoso").what_if("use-intune-rbac=off")
    estate = estate.with_settings(edition="2022-07", readings={"timeline-notify": "sync-only"}, strict=True)
    assert outcome.merged.total == estate.review(actions=["run-script"]).total


# --- again ------------------------------------------------------------------------


def test_what_is_finished_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tenants, output = write_tenants(tmp_path / "in", "a", "b"), tmp_path / "out"
    first = reviewed(tenants, output, parts=2)
    before = manifest_of(output)
    monkeypatch.setitem(run.ENGINES, "local", None)  # type: ignore[arg-type]  # no engine is started for nothing
    again = reviewed(tenants, output, parts=2)
    assert (first.skipped, again.skipped) == (0, 4)
    assert again.merged == first.merged
    assert manifest_of(output) == before


@pytest.mark.parametrize("broken", ["source", "rows", "sets", "receipt", "no receipt"])
def test_what_changed_is_done_again_and_nothing_else(tmp_path: Path, broken: str) -> None:
    tenants, output = write_tenants(tmp_path / "in", "a", "b"), tmp_path / "out"
    reviewed(tenants, output)
    before = manifest_of(output)
    receipt = next(p for p in (output / ".parts").iterdir() if json.loads(p.read_text("utf-8"))["tenant"] == "b")
    if broken == "source":
        (tenants / "b" / "note.txt").write_text("an export that nobody knows", "utf-8")
    elif broken == "receipt":
        receipt.write_text(receipt.read_text("utf-8")[:-20], "utf-8")
    elif broken == "no receipt":
        receipt.unlink()
    else:
        file = output / broken / "tenant=b" / "part-0.parquet"
        file.write_bytes(file.read_bytes()[:-1])
    again = reviewed(tenants, output)
    assert again.skipped == 1
    assert [one["files"] for one in manifest_of(output)["tenants"]] == [one["files"] for one in before["tenants"]]


def test_nothing_of_an_earlier_run_is_left_behind(tmp_path: Path) -> None:
    """Fewer parts, a tenant that went, one that broke: a reader finds no row of them."""
    tenants, output = write_tenants(tmp_path / "in", "a", "b", "c"), tmp_path / "out"
    reviewed(tenants, output, parts=3)
    shutil.rmtree(tenants / "b")
    shutil.rmtree(tenants / "c")
    (tenants / "c.yaml").write_text(BROKEN, "utf-8")
    outcome = reviewed(tenants, output, parts=2)
    assert outcome.skipped == 0
    names = {f"{kind}/tenant=a/part-{part}.parquet" for kind in ("rows", "sets") for part in (0, 1)}
    assert files_in(output) == {*names, "manifest.json"}
    assert len(list((output / ".parts").iterdir())) == 2
    assert not (output / "rows" / "tenant=b").exists()


def test_another_question_is_another_answer(tmp_path: Path) -> None:
    tenants, output = write_tenants(tmp_path / "in", "a"), tmp_path / "out"
    reviewed(tenants, output)
    for other in (ASKED._replace(verdicts=(Verdict.ALLOW,)), ASKED._replace(by="cell"), ASKED._replace(strict=True)):
        assert reviewed(tenants, output, asked=other).skipped == 0
    assert reviewed(tenants, output, asked=ASKED._replace(verdicts=())).merged.rows == 0
    assert manifest_of(output)["totals"]["cells"] > 0


# --- what is refused ----------------------------------------------------------------


def test_a_folder_without_tenants(tmp_path: Path) -> None:
    (tmp_path / "in" / ".git").mkdir(parents=True)
    (tmp_path / "in" / "README.txt").touch()
    for folder in (tmp_path / "in", tmp_path / "nowhere"):
        with pytest.raises(LoadError):
            reviewed(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_tenants_of_one_name(tmp_path: Path) -> None:
    tenants = write_tenants(tmp_path / "in", "Contoso")
    (tenants / "contoso.yaml").touch()
    with pytest.raises(LoadError, match="the same tenant"):
        reviewed(tenants, tmp_path / "out")


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"engine": "abacus"}, QuestionError),
        ({"parts": 0}, QuestionError),
        ({"jobs": -1}, QuestionError),
        ({"asked": Asked(actions=("run-cmpivto",))}, UnknownNameError),
    ],
    ids=str,
)
def test_what_no_tenant_could_answer(tmp_path: Path, how: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        reviewed(write_tenants(tmp_path / "in", "a"), tmp_path / "out", **how)
    assert not (tmp_path / "out").exists()


def test_the_output_is_no_tenant(tmp_path: Path) -> None:
    tenants = write_tenants(tmp_path / "in", "a")
    with pytest.raises(QuestionError, match="would lie in the folder"):
        reviewed(tenants, tenants / "out")


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out" / "rows").mkdir(parents=True)
    (tmp_path / "out" / "thesis.txt").touch()
    with pytest.raises(WriteError, match="holds other files"):
        reviewed(write_tenants(tmp_path / "in", "a"), tmp_path / "out")
    assert files_in(tmp_path / "out") == {"thesis.txt"}


def test_a_full_disk_ends_the_run_and_leaves_no_half_file(tmp_path: Path) -> None:
    tenants, output = write_tenants(tmp_path / "in", "a", "b"), tmp_path / "out"
    full = OSError(28, "No space left on device")
    with patch("permcheck.scale.files.write_sets", side_effect=[full]), pytest.raises(WriteError) as caught:
        reviewed(tenants, output)
    assert "no space left" in str(caught.value)
    assert unfinished(output) == []
    assert files_in(output) == set()
    assert not (output / "manifest.json").exists()
    assert reviewed(tenants, output).merged.problems == ()
