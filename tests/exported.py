"""Folders of exports for the tests: every format that the writers of shapes/ know, and small ones by hand."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import permcheck
import yaml
from permcheck.api import Estate
from permcheck.errors import PermcheckError
from permcheck.exports.folder import Imported, read_exports
from permcheck.loading.policy import load_policy
from shapes.adminservice import write_adminservice
from shapes.csvs import write_csvs
from shapes.estate_data import Data, read_folder
from shapes.graph import Style, write_graph
from shapes.left_over import left_over
from shapes.powershell import write_powershell, write_role_permissions
from shapes.role_xml import write_role_xml
from strategies import Ask

EXAMPLES = Path(__file__).parent.parent / "examples"
ESTATES = ("contoso", "lab", "preview-2006")
"""Examples that were written by hand."""


class Format(NamedTuple):
    """Tools that somebody exported with: one for the cloud, one for each hierarchy."""

    site: Callable[[Data, str, Path], None]
    style: Style = "rest"
    page: int = 100
    csv: bool = False


def lazily(estate: Data, hierarchy: str, folder: Path) -> None:
    """Lists as the service gives them, and administrative users one by one, but not roles."""
    write_adminservice(estate, hierarchy, folder, singles=True)
    for path in folder.glob("SMS_Role(*"):
        path.unlink()


def as_xml(estate: Data, hierarchy: str, folder: Path) -> None:
    """Custom roles as the console exports them."""
    lazily(estate, hierarchy, folder)
    write_role_xml(estate, hierarchy, folder, together=False)


def by_name(estate: Data, hierarchy: str, folder: Path) -> None:
    """Custom roles by the names of their operations."""
    lazily(estate, hierarchy, folder)
    write_role_permissions(estate, hierarchy, folder)


def as_csv(estate: Data, hierarchy: str, folder: Path) -> None:
    """Export-Csv of Windows PowerShell; where there is nothing to export, it writes an empty file, which people delete."""
    write_powershell(estate, hierarchy, folder, "csv", utf16=True)
    for path in folder.glob("*.csv"):
        if path.read_text("utf-16").count("\n") < 2:
            path.unlink()


FORMATS: dict[str, Format] = {
    "rest with tiny pages": Format(write_adminservice, page=2),
    "Get-Mg and lists with singles": Format(
        lambda e, h, f: write_adminservice(e, h, f, lazy=True, singles=True), style="mg"
    ),
    "IntuneCD": Format(lambda e, h, f: write_adminservice(e, h, f, singles=True), style="intunecd"),
    "ConvertTo-Json": Format(write_powershell),
    "Export-Csv": Format(as_csv),
    "PowerShell by names": Format(lambda e, h, f: write_powershell(e, h, f, role_names=True)),
    "role XML": Format(as_xml),
    "roles by name": Format(by_name),
    "downloads of the admin centers": Format(write_adminservice, csv=True),
}


def export(estate: Data, folder: Path, how: Format) -> Path:
    """Write an estate as exports, with the facts that no tool exports beside them."""
    write_graph(estate, folder / "graph", how.style, page=how.page)
    for hierarchy in estate["hierarchies"]:
        how.site(estate, hierarchy["id"], folder / f"cm-{hierarchy['id']}")
    if how.csv:
        write_csvs(estate, folder / "downloads")
        forget_what_is_downloaded(folder)
    facts = left_over(estate, how.style, csv=how.csv)
    (folder / "facts.yaml").write_text(yaml.safe_dump(facts, sort_keys=False), "utf-8")
    return folder


def forget_what_is_downloaded(folder: Path) -> None:
    """Remove the answers of Graph in whose place the downloads stand; each report goes to its site."""
    for pattern in ("managedDevices*", "roleAssignments*", "directoryRoles*", "members*"):
        for path in (folder / "graph").rglob(f"{pattern}.json"):
            if "deviceManagement/role" not in path.as_posix():
                path.unlink()
    for report in (folder / "downloads").glob("*/Administrative*.csv"):
        shutil.move(report, folder / f"cm-{report.parent.name}")


@cache
def written(name: str) -> tuple[Data, Estate]:
    """An example as plain values, and loaded."""
    return read_folder(EXAMPLES / name), permcheck.load(EXAMPLES / name)


def as_estate(data: Data) -> Estate:
    """Plain values, loaded as an estate file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "estate.json"
        path.write_text(json.dumps({"estate": "plain", **data}), "utf-8")
        return permcheck.load(path)


def questions(estate: Estate) -> Iterator[Ask]:
    """Every user, action and device or hierarchy of an estate, with every script or application of it and without."""
    tables = estate.tables
    devices = [f"{d.hierarchy}/{d.name}" if len(tables.hierarchies) > 1 else d.name for d in tables.devices.values()]
    places = {"device": devices, "hierarchy": [h.id for h in tables.hierarchies.values()], "tenant": [None]}
    objects = {"script": tables.scripts, "application": tables.applications, None: {}}
    for user in tables.users.values():
        for action in estate.policy.actions.values():
            for place in places[action.target]:
                for thing in (None, *(form.name for form in objects[action.object].values())):
                    yield Ask(user.upn, action.id, place, thing)


def verdict(estate: Estate, ask: Ask) -> str:
    """A verdict, or what was wrong with the question."""
    try:
        return estate.verdict(ask.user, ask.action, ask.device, object=ask.object).value
    except PermcheckError as error:
        return f"{type(error).__name__}: {error}"


@cache
def expected(name: str) -> dict[Ask, str]:
    """The verdicts of an example as it was written by hand; questions that can't be asked are left out."""
    estate = written(name)[1]
    found = {ask: verdict(estate, ask) for ask in questions(estate)}
    return {ask: said for ask, said in found.items() if said in {"allow", "deny", "undetermined"}}


def put(folder: Path, **lists: Any) -> Path:
    """Write small exports: the name of each file without .json, and its content."""
    for name, content in lists.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return folder


def imported(folder: Path) -> Imported:
    """Read a folder as exports."""
    return read_exports((folder,), load_policy())


def records(found: Imported, section: str) -> list[dict[str, Any]]:
    """The records of a section, as far as they are stated."""
    rows = found.joined.sections.get(section, [])
    return [record.value.model_dump(exclude_unset=True) for record in rows]


def ids(found: Imported) -> list[str]:
    """The ids of the problems, sorted."""
    return sorted(problem.id for problem in found.joined.problems)
