"""What operations mean: by the names and bits of the site, by documents, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest
from exported import imported, put, records

SITE: Final = {"SiteCode": "P01", "SiteName": "Primary", "ReportingSiteCode": "", "Version": "5.00.9122.1000"}
PIVOT_BIT: Final = 2**29


def with_operation(folder: Path, *rows: dict[str, Any], role: Any = None, named: Any = None) -> dict[str, Any]:
    """Return the one role of a site with these operations."""
    more = {"rolePermissions": {"@odata.context": "#RoleOperation", "value": list(named)}} if named else {}
    roles = [{"RoleID": "P0100001", "RoleName": "R", "CopiedFromID": "", "Operations": role or []}]
    put(folder, SMS_Site=[SITE], SMS_AvailableOperation=list(rows), SMS_Role=roles, **more)
    (found,) = records(imported(folder), "security_roles")
    return found


def operation(name: str, flag: int) -> dict[str, Any]:
    return {"ObjectTypeID": 1, "OperationName": name, "BitFlag": flag}


def test_a_name_of_the_site_that_nobody_knows_leaves_its_bit_unknown(tmp_path: Path) -> None:
    granted = [{"ObjectTypeID": 1, "GrantedOperations": PIVOT_BIT + 1}]
    role = with_operation(tmp_path, operation("Lesen", 1), operation("CMPivot ausführen", PIVOT_BIT), role=granted)
    assert role["permissions"] == {"Collection": ("Read",)}
    assert "Run CMPivot" in role["undecided"]["Collection"]
    role = with_operation(tmp_path, operation("Read", 1), operation("Run CMPivot", PIVOT_BIT), role=granted)
    assert (role["permissions"], role.get("undecided")) == ({"Collection": ("Read", "Run CMPivot")}, None)


@pytest.mark.parametrize("flag", [PIVOT_BIT + 1, 3, 0])
def test_a_flag_that_is_not_one_bit_grants_nothing_for_sure(flag: int, tmp_path: Path) -> None:
    granted = [{"ObjectTypeID": 1, "GrantedOperations": 1}]
    role = with_operation(tmp_path, operation("Read", 1), operation("Run CMPivot", flag), role=granted)
    assert role["permissions"] == {"Collection": ("Read",)}
    assert role.get("undecided") == ({"Collection": ("Run CMPivot",)} if flag else None)


def test_a_name_that_nobody_knows_leaves_its_role_open(tmp_path: Path) -> None:
    named = [{"RoleName": "R", "ObjectTypeDisplayName": "Collection", "OperationName": "Read, CMPivot ausführen"}]
    role = with_operation(tmp_path, named=named)
    assert role["permissions"] == {"Collection": ("Read",)}
    assert {"Run CMPivot", "Run Script"} <= set(role["undecided"]["Collection"])
    assert role["undecided"].keys() == {"Collection"}
    named[0]["ObjectTypeDisplayName"] = "Sammlung"
    role = with_operation(tmp_path, named=named)
    assert role["permissions"] == {}
    assert {"Collection", "Site", "SMS Scripts"} <= role["undecided"].keys()


def test_the_bit_of_a_name_tells_what_it_may_be(tmp_path: Path) -> None:
    """The site has the name in its list, and other operations under names that are known."""
    site = [operation("Lesen", 1), operation("CMPivot ausführen", PIVOT_BIT), operation("Run Script", 2**31)]
    named = [{"RoleName": "R", "ObjectTypeDisplayName": "Collection", "OperationName": "Lesen, CMPivot ausführen"}]
    role = with_operation(tmp_path, *site, named=named)
    assert role["permissions"] == {"Collection": ("Read",)}
    assert "Run CMPivot" in role["undecided"]["Collection"]
    assert not {"Run Script", "Modify"} & set(role["undecided"]["Collection"])


def test_operations_that_a_role_is_told_not_to_have_are_not_open(tmp_path: Path) -> None:
    row = {"RoleName": "R", "ObjectTypeName": "SMS_Collection"}
    names = {"Lesen": True, "Run CMPivot": False, "Run Script": False}
    named = [row | {"OperationName": name, "Allow": allowed} for name, allowed in names.items()]
    role = with_operation(tmp_path, named=named)
    assert "Modify" in role["undecided"]["Collection"]
    assert not {"Run CMPivot", "Run Script"} & set(role["undecided"]["Collection"])
