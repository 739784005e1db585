"""Write one hierarchy of an estate as answers of the administration service (OData JSON of WMI classes)."""

from __future__ import annotations

from pathlib import Path

from shapes.estate_data import Book, Data, write_json
from shapes.site_rows import class_rows

ROOT = "https://cm01.example.com/AdminService/wmi"
LAZY = {
    "SMS_Admin": ("Categories", "ExtendedData", "IsCovered", "Permissions", "Roles"),
    "SMS_Role": ("Operations",),
    "SMS_Collection": ("CollectionRules", "ISVData", "RefreshSchedule"),
    "SMS_Scripts": ("ParamsDefinition", "Script"),
}
KEYS = {
    "SMS_Admin": "AdminID",
    "SMS_Role": "RoleID",
    "SMS_Collection": "CollectionID",
    "SMS_Scripts": "ScriptGuid",
    "SMS_Site": "SiteCode",
}
"""Classes that are asked for without $select: their rows carry the system properties of WMI."""
ARRAYS = {"SMS_Admin": "Permissions", "SMS_Role": "Operations"}
"""The lazy arrays that matter. In class_rows, None is one that the estate doesn't know."""


def write_adminservice(
    estate: Data, hierarchy: str, folder: Path, *, lazy: bool = False, singles: bool = False
) -> None:
    """Write one file for each class, `SMS_Admin.json`. What the estate doesn't know has no file.

    `lazy`: lists as the service gives them, in which lazy properties are empty: Permissions of administrative users,
    Operations of security roles. `singles`: such lists, and beside them every administrative user and role asked for
    alone, `SMS_Admin(16777217).json`.
    """
    rows = class_rows(Book(estate), hierarchy)
    for name, values in rows.items():
        cut = name in ARRAYS and (lazy or singles)
        body = [_row(name, hierarchy, _emptied(name, value, every=cut)) for value in values]
        write_json(folder / f"{name}.json", {"@odata.context": _context(name, values), "value": body})
        if cut and singles:
            for number, value in enumerate(v for v in values if v[ARRAYS[name]] is not None):
                row = _row(name, hierarchy, value) | {"__QUALIFIER_SECURITYVERBS": -1}
                context = {"@odata.context": f"{ROOT}/$metadata#{name}/$entity"}
                write_json(
                    folder / f"{name}({value[KEYS[name]]}).json", context | ({"value": [row]} if number % 2 else row)
                )


def _context(name: str, values: list[Data]) -> str:
    chosen = f"({','.join(values[0])})" if values and name not in KEYS else ""
    return f"{ROOT}/$metadata#{name}{chosen}"


def _emptied(name: str, value: Data, *, every: bool) -> Data:
    """Empty the lazy arrays: those that nobody knows, or every one as in a list that the service gives."""
    return value | {key: [] for key in LAZY.get(name, ()) if key in value and (every or value[key] is None)}


def _row(name: str, hierarchy: str, value: Data) -> Data:
    if name not in KEYS:
        return value
    lazy = LAZY.get(name, ())
    return {
        "@odata.etag": str(value.get(KEYS[name])),
        "__LAZYPROPERTIES": ["__QUALIFIER_SECURITYVERBS", *lazy],
        "__QUALIFIER_SECURITYVERBS": None,
        **{key: None for key in lazy if key not in value},
        **value,
        "__GENUS": 2,
        "__CLASS": name,
        "__SUPERCLASS": "SMS_BaseClass",
        "__DYNASTY": "SMS_BaseClass",
        "__RELPATH": f'{name}.{KEYS[name]}="{value.get(KEYS[name])}"',
        "__PROPERTY_COUNT": len(value),
        "__DERIVATION": ["SMS_BaseClass"],
        "__SERVER": "CM01",
        "__NAMESPACE": f"root\\sms\\site_{hierarchy}",
        "__PATH": f'\\\\CM01\\root\\sms\\site_{hierarchy}:{name}.{KEYS[name]}="{value.get(KEYS[name])}"',
    }
