"""Pages that are missing, and files that are no exports: what the files say of themselves decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import permcheck
import pytest
from exported import ids, imported, put, records
from permcheck.cli.main import guarded
from test_exports_shapes import ANNA, GROUP, GROUPS, PEOPLE, SITE, answer, save

USERS = "https://graph.microsoft.com/v1.0/users"
MORE = [{"id": f"00000000-0000-4000-8000-00000000000{n}", "userPrincipalName": f"u{n}@c.com"} for n in range(6)]


def pages(link: str = "skiptoken", count: int | None = None, size: int = 2) -> list[dict[str, Any]]:
    """Three pages of a list, as the service links them."""
    chunks = [MORE[start : start + size] for start in range(0, len(MORE), size)]
    last = len(chunks) - 1
    return [
        answer(
            "users",
            *rows,
            **({} if number == last else {"nextLink": f"{USERS}?${link}={size * (number + 1)}"}),
            **({} if count is None or number else {"count": count}),
        )
        for number, rows in enumerate(chunks)
    ]


@pytest.mark.parametrize("lost", [0, 1, 2], ids=["first", "middle", "last"])
@pytest.mark.parametrize("names", ["users-{:04}", "users{}", "page {}", "{} of 3"])
def test_a_lost_page_is_missed(lost: int, names: str, tmp_path: Path) -> None:
    kept = {names.format(number + 1): page for number, page in enumerate(pages()) if number != lost}
    found = imported(put(tmp_path, **kept))
    assert ids(found) == ["missing-pages"]
    assert "users" in found.joined.scalars["incomplete"]


@pytest.mark.parametrize("names", ["users-{:04}", "users{}", "page {}", "{} of 3", "x-{}"])
def test_pages_that_are_there_are_a_list(names: str, tmp_path: Path) -> None:
    found = imported(put(tmp_path, **{names.format(number): page for number, page in enumerate(pages(), 1)}))
    assert ids(found) == []
    assert len(records(found, "users")) == len(MORE)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_what_the_service_counted_is_not_all_there(lost: int, tmp_path: Path) -> None:
    """Whatever the files are called."""
    kept = {name: page for number, (name, page) in enumerate(zip("abc", pages(count=6), strict=True)) if number != lost}
    found = ids(imported(put(tmp_path, **kept)))
    assert found == ([] if lost == 0 else ["missing-pages"])


@pytest.mark.parametrize("lost", [0, 1])
def test_links_that_skip_more_than_is_there_miss_a_page(lost: int, tmp_path: Path) -> None:
    linked = dict(zip("abcdef", pages("skip", size=1), strict=True))
    assert ids(imported(put(tmp_path / "whole", **linked))) == []
    linked.pop("ab"[lost])
    assert ids(imported(put(tmp_path / "lost", **linked))) == ["missing-pages"]


def test_each_list_needs_its_own_last_page(tmp_path: Path) -> None:
    """A last page of another list of the same kind is none of this one."""
    put(tmp_path, a=answer("users", MORE[0], nextLink=f"{USERS}?$select=id&$skiptoken=x"), b=answer("users", MORE[1]))
    assert ids(imported(tmp_path)) == []
    put(tmp_path, c=answer("users", MORE[2], nextLink=f"{USERS}?$select=id,displayName&$skiptoken=y"))
    assert ids(imported(tmp_path)) == ["missing-pages"]


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_page_of_a_live_collection_that_is_gone_is_missed(lost: int, tmp_path: Path) -> None:
    files = dict(zip("xyz", pages(), strict=True))
    addresses = [USERS, *(page.get("@odata.nextLink") for page in files.values())]
    told = [{"file": f"{name}.json", "url": url} for name, url in zip(files, addresses, strict=False)]
    put(tmp_path, **files, collected={"permcheck": "collection/1", "responses": told})
    assert ids(imported(tmp_path)) == []
    (tmp_path / f"{'xyz'[lost]}.json").unlink()
    assert "missing-pages" in ids(imported(tmp_path))


def test_members_of_another_group_are_all_there(tmp_path: Path) -> None:
    """A page that is gone is missed in its own list alone."""
    url = "https://graph.microsoft.com/v1.0/groups/{}/members"
    told = [
        {"file": f"{name}.json", "url": url.format(GROUP) + more} for name, more in (("a", ""), ("b", "?$skiptoken=1"))
    ]
    put(tmp_path, users=answer("users", *PEOPLE), groups=answer("groups", *GROUPS))
    put(tmp_path, b=answer("directoryObjects", {"@odata.type": "#microsoft.graph.user", "id": ANNA}))
    put(tmp_path, collected={"permcheck": "collection/1", "responses": told})
    found = {row["name"]: row.get("members_incomplete") for row in records(imported(tmp_path), "groups")}
    assert found == {"SG-Ops": True, "SG-EU": None}


@pytest.mark.parametrize("names", [("users part 1", "users part 3"), ("users (1 of 3)", "users (3 of 3)")])
def test_parts_of_a_table_that_are_numbered_are_missed_too(names: tuple[str, str], tmp_path: Path) -> None:
    for name, person in zip(names, PEOPLE, strict=True):
        save(tmp_path, f"{name}.csv", f"userPrincipalName,id\n{person['userPrincipalName']},{person['id']}\n")
    assert ids(imported(tmp_path)) == ["missing-pages"]


def test_the_day_in_a_name_is_no_page(tmp_path: Path) -> None:
    for day, person in zip(("2026-08-01", "2026-08-04"), PEOPLE, strict=True):
        save(tmp_path, f"users_{day}.csv", f"userPrincipalName,id\n{person['userPrincipalName']},{person['id']}\n")
    assert ids(imported(tmp_path)) == []


# --- files of other tools --------------------------------------------------------------------------

FOREIGN = {
    "package.json": json.dumps({"name": "site", "version": "1.0.0", "scripts": {"build": "x"}, "dependencies": {}}),
    "scripts-first.json": json.dumps({"scripts": {"build": "x"}, "name": "site"}),
    "tasks/main.yml": "- name: install\n  become: true\n  package: {name: x}\n",
    "meta/main.yml": "galaxy_info: {author: x}\ndependencies: []\ncollections: [community.general]\n",
    "requirements.yml": "collections:\n- {name: community.general, version: 1.0.0, source: x}\nroles: []\n",
    "vault.yml": "secret: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n",
    "k8s.yaml": "apiVersion: v1\nkind: Role\nmetadata: {name: x}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: y}\n",
    "chart.yaml": "apiVersion: v2\nname: x\n{{- if .Values.x }}\ndescription: y\n{{- end }}\n",
    "compose.yaml": "services: {web: {image: x}}\nvolumes: {}\n",
    "backup/Device Configurations/x.yaml": '"@odata.type": "#microsoft.graph.windows10GeneralConfiguration"\ndisplayName: x\n',
    "empty.yaml": "---\n",
    "text.yaml": "just words\n",
    "list.yaml": "[1, 2]\n",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_of_another_tool_stops_nothing(name: str, tmp_path: Path) -> None:
    put(tmp_path, users=PEOPLE)
    save(tmp_path, name, FOREIGN[name])
    estate = permcheck.load(tmp_path)
    assert len(estate.tables.users) == len(PEOPLE)
    (warning,) = estate.warnings
    assert (warning.id, warning.severity) == ("unknown-export", "warning")


def test_a_folder_of_them_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, users=PEOPLE)
    for name, content in FOREIGN.items():
        save(tmp_path, f"other/{Path(name).parent.name}-{Path(name).name}", content)
    (warning,) = permcheck.load(tmp_path).warnings
    assert warning.file == str(tmp_path / "other")
    assert guarded(["import", str(tmp_path)]) == 0
    assert capsys.readouterr().out.count(str(tmp_path / "other")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "hierarchys: [{id: P01}]\n",
        "tenant: {cloud: public}\nhierarchies: [{idd: P01}]\n",
        "tenant: {cloud: public\n",
        "users: [{upn: a@c.com, shoe_size: 46}]\n",
        "users:\n- {upn: a@c.com}\n- {upn: a@c.com}\ntenannt: {}\n",
    ],
)
def test_a_mistake_in_an_estate_file_is_an_error_still(text: str, tmp_path: Path) -> None:
    put(tmp_path, users=PEOPLE)
    save(tmp_path, "facts.yaml", text)
    problems = [problem for problem in imported(tmp_path).joined.problems if problem.severity == "error"]
    assert problems
    assert all(problem.file.startswith(str(tmp_path / "facts.yaml")) for problem in problems)


@pytest.mark.parametrize("name", ["README.md", "notes", "exports.zip", "picture.png", "list.xlsx"])
def test_a_file_that_is_no_export_is_said_to_be_none(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(b"# words\x00")
    code = guarded(["import", str(tmp_path / name)])
    told = capsys.readouterr()
    assert (int(code), told.out) == (3, "")
    assert "no export" in told.err
    assert "Traceback" not in told.err


def test_a_folder_without_users_still_tells_what_was_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(tmp_path, SMS_Site=[SITE])
    code = guarded(["import", str(tmp_path)])
    told = capsys.readouterr()
    assert int(code) == 3
    assert "sites: 1 entry" in told.out
    assert "users" in told.err
