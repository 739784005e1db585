"""Devices in Parquet are the devices of a list: the same answers, the same rules, the same problems."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from commands import Cli
from hypothesis import given, settings
from hypothesis import strategies as st
from permcheck import Estate, LoadError, load
from permcheck.bulk import partition, rows
from permcheck.bulk.answers import Answers, View
from permcheck.model.change import SetFact
from permcheck.model.estate import Device
from permcheck.model.inventory import Devices
from permcheck.model.tables import Tables
from permcheck.review.edits import Edit, edits
from permcheck.review.graft import grafted
from permcheck.review.moved import may_differ
from recalled import ALWAYS, compared
from strategies import Data, crowds, every_question, partial_estates
from test_bulk import cells, everything, wrong

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

GUID = "0" * 8 + "-0000" * 3 + "-" + "0" * 12
TYPES = {"scope_tags": pa.list_(pa.string()), "resource_id": pa.int64()}


def write_inventory(folder: Path, data: Data, *, coded: bool = False) -> None:
    """Write an estate with its devices as columns. Either all of them tell their collections, or none."""
    rest = {key: value for key, value in data.items() if key != "devices"}
    (folder / "estate.json").write_text(json.dumps(rest))
    devices = data["devices"]
    names = dict.fromkeys(name for device in devices for name in device if name != "collections")
    columns: dict[str, Any] = {}
    for name in ("name", *names):
        columns[name] = pa.array([device.get(name) for device in devices], TYPES.get(name))
        if coded and pa.types.is_string(columns[name].type):
            columns[name] = columns[name].dictionary_encode()
    pq.write_table(pa.table(columns), folder / "devices.parquet")
    if devices and "collections" in devices[0]:
        rows = [(d["hierarchy"], d["resource_id"], name) for d in devices for name in d["collections"]]
        kinds = (pa.string(), pa.int64(), pa.string())
        columns = {
            name: pa.array([row[i] for row in rows], kind)
            for i, (name, kind) in enumerate(zip(("hierarchy", "resource_id", "collection"), kinds, strict=True))
        }
        pq.write_table(pa.table(columns), folder / "memberships.parquet")


def columnar(data: Data) -> Data:
    """Return an estate whose devices can be columns."""
    result = deepcopy(data)
    told = all("collections" in device for device in result["devices"])
    for number, device in enumerate(result["devices"]):
        device.setdefault("resource_id", 100 + number)
        if not told:
            device.pop("collections", None)
    return result


@settings(max_examples=25)
@given(partial_estates(), st.booleans(), st.integers(0, 2))
def test_devices_in_columns_answer_like_devices_in_a_list(drawn: tuple[Data, Data], coded: bool, more: int) -> None:  # noqa: FBT001 - drawn
    data = columnar(drawn[0])
    for number in range(more):
        data["devices"] += [
            {**d, "name": f"{d['name']}-{number}", "resource_id": d["resource_id"] + 50 + number}
            for d in drawn_devices(data)
        ]
    with tempfile.TemporaryDirectory() as listed, tempfile.TemporaryDirectory() as columns:
        (Path(listed) / "estate.json").write_text(json.dumps(data))
        write_inventory(Path(columns), data, coded=coded)
        one, two = load(listed), load(columns)
    assert in_order(two.tables.devices) == in_order(one.tables.devices)
    assert dict(two.tables.device_collections) == one.tables.device_collections
    assert set(two.tables.membership_open) == one.tables.membership_open
    for question in every_question(data):
        assert one.verdict(*question[:3], object=question[3]) is two.verdict(*question[:3], object=question[3])
    first, second = (Answers([View(e._engine)], everything([e])) for e in (one, two))
    assert [a.ground.members for a in first.areas if a.on_devices] == [
        tuple(map(list, a.ground.members)) for a in second.areas if a.on_devices
    ]
    assert list(cells(first, 0)) == list(cells(second, 0))


def in_order(devices: Mapping[str, Device]) -> dict[str, Device]:
    return {
        key: d.model_copy(update={"collections": d.collections and tuple(sorted(d.collections))})
        for key, d in devices.items()
    }


def drawn_devices(data: Data) -> list[Data]:
    return [device for device in data["devices"] if device["name"].count("-") == 1]


@settings(max_examples=25)
@given(partial_estates(), st.data())
def test_with_numpy_and_without(drawn: tuple[Data, Data], data: st.DataObject) -> None:
    estate_data = columnar(drawn[1])
    with tempfile.TemporaryDirectory() as folder:
        write_inventory(Path(folder), estate_data)
        estate = load(folder)
    changed = estate.what_if(data.draw(st.sampled_from(["use-intune-rbac=on", "use-intune-rbac=off"])))
    views = [View(estate._engine), View(changed._engine)]
    quick = Answers(views, everything([estate]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "_has_numpy", lambda: False)
        slow = Answers(views, everything([estate]))
    for one, two in zip(quick.areas, slow.areas, strict=True):
        assert list(map(list, one.ground.members)) == list(map(list, two.ground.members))
        assert one.ground.atoms == two.ground.atoms
        assert one.ground.alike == two.ground.alike
        assert one.ground.there == two.ground.there
        assert one.ground.sizes == two.ground.sizes
    for place in (0, 1):
        assert list(cells(quick, place)) == list(cells(slow, place))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 4))), max_size=30),
    st.integers(0, 2),
)
def test_a_partition_is_that_of_a_dictionary(things: list[tuple[int, set[int]]], seed: int) -> None:
    import numpy as np

    del seed
    codes = np.asarray([code for code, _ in things], np.int64)
    owners = np.asarray([i for i, (_, said) in enumerate(things) for _ in sorted(said)], np.int64)
    said = np.asarray([one for _, found in things for one in sorted(found)], np.int64)
    numbers, first = partition.partition(codes, partition.pairs_of(owners, said, len(things), 5))
    known: dict[Any, int] = {}
    assert numbers.tolist() == [known.setdefault((code, frozenset(found)), len(known)) for code, found in things]
    assert [numbers[i] for i in first] == list(range(len(known)))


@pytest.fixture
def estate(tmp_path: Path) -> tuple[Path, Data]:
    data = {
        "users": [{"upn": "anna@contoso.com"}],
        "hierarchies": [{"id": "P01"}, {"id": "P02", "name": "Second"}],
        "collections": [
            {"hierarchy": h, "id": f"C{i}", "name": f"Collection {i}"} for h in ("P01", "P02") for i in (1, 2)
        ],
        "devices": [
            {"name": "PC-1", "hierarchy": "P01", "resource_id": 1, "collections": ["C1"], "entra_id": GUID},
            {"name": "PC-2", "hierarchy": "P02", "resource_id": 1, "collections": ["C1", "C2"]},
            {"name": "PC-2", "hierarchy": "second", "resource_id": 7, "collections": []},
        ],
    }
    return tmp_path, data


def problems(folder: Path) -> list[str]:
    with pytest.raises(LoadError) as caught:
        load(folder)
    return [f"{Path(p.file).name}: {p.id}: {p.message}" for p in caught.value.problems]


def rewrite(folder: Path, file: str, /, **columns: Any) -> None:
    path = folder / f"{file}.parquet"
    table = pq.read_table(path)
    for column, values in columns.items():
        index = table.column_names.index(column) if column in table.column_names else -1
        table = (
            table.set_column(index, column, pa.array(values))
            if index >= 0
            else table.append_column(column, pa.array(values))
        )
    pq.write_table(table, path)


def test_two_devices_of_one_name_have_different_keys(estate: tuple[Path, Data]) -> None:
    folder, data = estate
    write_inventory(folder, data)
    tables = load(folder).tables
    assert list(tables.devices) == ["p01/pc-1", "p02/pc-2", "p02/pc-2 (7)"]
    assert tables.device_collections["p02/pc-2"] == {"p02/c1", "p02/c2"}
    assert tables.device_collections["p02/pc-2 (7)"] == frozenset()
    assert "p03/pc-1" not in tables.devices
    assert str(tables.places.of("devices", "p02/pc-2", "name")) == f"from {folder}/devices.parquet, row 2, name"


def test_names_find_devices(estate: tuple[Path, Data]) -> None:
    folder, data = estate
    write_inventory(folder, data)
    names = load(folder).names["device"]
    assert [names.get(n) for n in ("PC-1", "p01/1", "7", GUID, "p02/7", "pc-2", "nothing", " pc-1 ")] == [
        "p01/pc-1",
        "p01/pc-1",
        "p02/pc-2 (7)",
        "p01/pc-1",
        "p02/pc-2 (7)",
        None,
        None,
        None,
    ]
    for _ in range(20):
        assert names.get("p02/pc-2 (7)") == "p02/pc-2 (7)"
    assert names.near("pc-3")


def test_every_problem_is_told_with_row_and_column(estate: tuple[Path, Data]) -> None:
    folder, data = estate
    write_inventory(folder, data)
    rewrite(folder, "devices", powershell=["5.1", "5.x", None], onlin=[True, True, True], entra_id=[GUID, "x", None])
    rewrite(folder, "devices", online=["yes", "no", "no"], name=["PC-1", " ", "PC-2"])
    assert problems(folder) == [
        "devices.parquet: pattern: row 2, column `entra_id`: `x` does not have the right form",
        "devices.parquet: pattern: row 2, column `name`: ` ` does not have the right form",
        "devices.parquet: pattern: row 2, column `powershell`: `5.x` does not have the right form",
        "devices.parquet: type: column `online` is string, not true or false",
        "devices.parquet: unknown-key: unknown column `onlin`",
    ]


def test_names_that_nothing_is_called_by(estate: tuple[Path, Data]) -> None:
    folder, data = estate
    write_inventory(folder, data)
    rewrite(
        folder, "memberships", collection=["C1", "C9", "C2"], resource_id=[1, 1, 8], hierarchy=["P01", "P02", "P02"]
    )
    rewrite(folder, "devices", hierarchy=["P01", "P03", None])
    assert problems(folder) == [
        "devices.parquet: no-hierarchy: row 3: this could be of several hierarchies, or none",
        "devices.parquet: unknown-name: row 2: no hierarchy is called `P03`",
        "memberships.parquet: unknown-name: row 2: hierarchy `p02` has no collection called `C9`",
        "memberships.parquet: unknown-name: row 2: hierarchy `p02` has no device with the resource id `1`",
        "memberships.parquet: unknown-name: row 3: hierarchy `p02` has no device with the resource id `8`",
    ]


def test_devices_that_nothing_tells_apart(estate: tuple[Path, Data]) -> None:
    folder, data = estate
    data["devices"][2]["resource_id"] = 1
    write_inventory(folder, data)
    found = problems(folder)
    assert "devices.parquet: duplicate: row 2: several devices have the resource id `1`" in found


def test_columns_without_a_value(estate: tuple[Path, Data]) -> None:
    folder, data = estate
    write_inventory(folder, data)
    rewrite(folder, "memberships", resource_id=[None, None, None])
    assert problems(folder) == ["memberships.parquet: missing-key: column `resource_id` is empty"]
    write_inventory(folder, data)
    rewrite(folder, "devices", name=[None, None, None])
    assert problems(folder) == ["devices.parquet: missing-key: column `name` is empty"]
    pq.write_table(
        pa.table({name: pa.array([]) for name in ("resource_id", "collection")}), folder / "memberships.parquet"
    )
    rewrite(folder, "devices", name=["a", "b", "c"], resource_id=["x", "y", None])
    assert not any(load(folder).tables.device_collections.values())


@pytest.mark.parametrize("file", ["devices", "memberships"])
def test_texts_are_utf_8(estate: tuple[Path, Data], file: str) -> None:
    """Parquet promises it, and nobody holds a writer to it."""
    folder, data = estate
    write_inventory(folder, data)
    table = pq.read_table(folder / f"{file}.parquet")
    column = "name" if file == "devices" else "collection"
    broken = pa.array([b"\xb1\xff", *[b"x"] * (table.num_rows - 1)]).view(pa.string())
    table = table.set_column(table.column_names.index(column), column, broken)
    pq.write_table(table, folder / f"{file}.parquet", use_dictionary=False, write_statistics=False)
    lost = "this is no Parquet file, it was cut, or a text in it is not UTF-8"
    assert problems(folder)[0] == f"{file}.parquet: parquet: {lost}"


def test_either_columns_or_a_list(estate: tuple[Path, Data]) -> None:
    folder, data = estate
    write_inventory(folder, data)
    (folder / "more.yaml").write_text("devices: [{name: PC-9, hierarchy: P01}]\n")
    assert problems(folder) == ["devices.parquet: stated-twice: devices stand in devices.parquet, and in a list"]
    (folder / "more.yaml").unlink()
    (folder / "devices.parquet").write_text("no Parquet")
    lost = "this is no Parquet file, it was cut, or a text in it is not UTF-8"
    assert problems(folder)[0] == f"devices.parquet: parquet: {lost}"
    (folder / "devices.parquet").unlink()
    assert problems(folder) == [
        "memberships.parquet: no-devices: there are memberships, but no devices.parquet with the devices"
    ]


def test_without_memberships_collections_may_list_members(estate: tuple[Path, Data]) -> None:
    folder, data = estate
    for device in data["devices"]:
        del device["collections"]
    data["collections"] = [{**c, "members": ["1"] if c["id"] == "C1" else []} for c in data["collections"][:3]]
    write_inventory(folder, data)
    tables = load(folder).tables
    assert tables.device_collections["p02/pc-2"] == {"p02/c1"}
    assert not tables.membership_open
    data["collections"][0].pop("members")
    write_inventory(folder, data)
    assert set(load(folder).tables.membership_open) == {"p01/pc-1"}


@pytest.mark.parametrize("command", ["import", "anonymise"])
def test_written_out_it_decides_the_same(command: str, estate: tuple[Path, Data], tmp_path: Path, cli: Cli) -> None:
    folder, data = estate[0] / "estate", {**estate[1], "complete": True}
    folder.mkdir()
    write_inventory(folder, data)
    assert cli(command, folder, "-o", tmp_path / "written").code == 0
    written = load(tmp_path / "written").tables
    assert len(written.devices) == 3
    assert sorted(map(len, written.device_collections.values())) == [0, 1, 2]


def test_files_beside_an_inventory_are_linted_with_it(estate: tuple[Path, Data], cli: Cli) -> None:
    folder, data = estate
    write_inventory(folder, data)
    (folder / "more.yaml").write_text("collections: [{hierarchy: P01, id: C3, name: Third, members: [PC-1]}]\n")
    assert cli("validate", folder / "more.yaml").code == 0


@given(crowds())
@settings(max_examples=10)
def test_what_is_compiled_of_an_inventory_is_what_the_evaluator_says(both: tuple[Data, Data]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_inventory(Path(folder), columnar(both[0]))
        assert compared(load(folder), 400).keys() <= ALWAYS


@given(crowds())
def test_inventories_side_by_side_answer_as_each_does_alone(both: tuple[Data, Data]) -> None:
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        for folder, data in zip((one, two), both, strict=True):
            write_inventory(Path(folder), columnar(data))
        estates = [load(folder) for folder in (one, two)]
        answers = Answers([estate.view for estate in estates], everything(estates))
        assert all(isinstance(a.ground.members, partition.Members) for a in answers.areas if a.on_devices)
        for place, estate in enumerate(estates):
            assert not wrong(estate, answers, place)
        old, new = (estate.tables for estate in estates)
        for before, after in ((old, new), (new, old)):
            found = edits(before, after, estates[0].policy)
            with patch("permcheck.review.edits.may_differ", lambda one, two: {**one.devices, **two.devices}):
                assert said(found) == said(edits(before, after, estates[0].policy))
            for edit in found:
                in_columns, one_by_one = (grafted(one, after, edit.records) for one in (before, listed(before)))
                assert facts(in_columns) == facts(one_by_one)
                assert dict(in_columns.device_collections) == dict(one_by_one.device_collections)
                assert set(in_columns.membership_open) == set(one_by_one.membership_open)


def facts(tables: Tables) -> dict[str, dict[str, object]]:
    """What is stated of each device. Which collections it is in is told by `device_collections` alone."""
    return {key: device.model_dump(exclude={"collections"}) for key, device in tables.devices.items()}


def listed(tables: Tables) -> Tables:
    """The same estate, without an inventory."""
    inside, open_ = dict(tables.device_collections), frozenset(tables.membership_open)
    return replace(tables, devices=dict(tables.devices), device_collections=inside, membership_open=open_)


def said(found: Iterable[Edit]) -> list[tuple[str, ...]]:
    """What edits are about. Devices that were edited in the same way are told in no order."""
    return sorted((edit.text.partition(":")[2], *sorted(map(str, edit.subjects()))) for edit in found)


@given(st.data())
def test_devices_that_differ_in_any_column_are_looked_at(data: st.DataObject) -> None:
    fields = st.fixed_dictionaries(
        {},
        optional={
            "online": st.booleans(),
            "powershell": st.sampled_from(["5.1", "2.0"]),
            "scope_tags": st.lists(st.sampled_from(["Default", "EU"]), max_size=2, unique=True),
            "management": st.sampled_from(["configmgr", "co-managed"]),
        },
    )
    some = st.lists(st.sampled_from(["C1", "C2"]), max_size=2, unique=True)
    estates = []
    for _ in range(2):
        names = data.draw(st.lists(st.integers(0, 4), min_size=1, unique=True))
        devices = [
            data.draw(fields) | {"name": f"PC{n}", "hierarchy": "P01", "resource_id": n, "collections": data.draw(some)}
            for n in names
        ]
        with tempfile.TemporaryDirectory() as folder:
            rest = {"complete": True, "hierarchies": [{"id": "P01"}], "users": [{"upn": "a@contoso.com"}]}
            listed = [{"id": name, "name": name, "hierarchy": "P01"} for name in ("C1", "C2")]
            write_inventory(
                Path(folder), rest | {"collections": listed, "devices": devices}, coded=data.draw(st.booleans())
            )
            estates.append(load(folder).tables)
    old, new = estates

    def told(tables: Tables, key: str) -> object:
        if key not in tables.devices:
            return None
        form = tables.devices[key].model_dump(exclude={"collections"})
        return form, tables.device_collections[key], key in tables.membership_open

    assert set(may_differ(old, new)) == {
        key for key in (*old.devices, *new.devices) if told(old, key) != told(new, key)
    }


@given(crowds(), st.data())
@settings(max_examples=20)
def test_a_changed_device_stays_in_the_inventory(both: tuple[Data, Data], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_inventory(Path(folder), columnar(both[0]))
        estate = load(folder)
    plain = Estate(listed(estate.tables), estate.policy)
    key = data.draw(st.sampled_from(sorted(estate.tables.devices)))
    fact, value = data.draw(st.sampled_from([("online", False), ("powershell", "2.0"), ("management", "intune")]))
    changed, expected = (one.with_changes(SetFact("device", key, fact, value)) for one in (estate, plain))
    assert isinstance(changed.tables.devices, Devices)
    assert dict(changed.tables.devices) == dict(expected.tables.devices)
    for user in estate.tables.users.values():
        for action in ("run-cmpivot", "run-script"):
            assert changed.verdict(user.upn, action, key) is expected.verdict(user.upn, action, key)
