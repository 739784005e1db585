"""What no export can tell: the small file that a person writes beside a folder of exports."""

from __future__ import annotations

from collections.abc import Iterable

from shapes.estate_data import Book, Data, build_of

SCALARS = ("estate", "as_of", "readings", "assume", "complete", "incomplete")
TENANT_TOLD = {"name", "multi_geo", "use_intune_rbac", "entra_premium"}
HIERARCHY_TOLD = {"name", "version", "sites"}
USER_ONLY_HERE = ("signs_in_with", "provider_logon_denied", "provider_access")
DEVICE_ONLY_HERE = ("uploaded", "client_current", "powershell", "online", "endpoint_analytics", "bitlocker_policy")


def left_over(estate: Data, style: str = "rest", *, csv: bool = False) -> Data:
    """Make the estate of everything that the exports leave out; every record has its key, and the hierarchy's id.

    `style` is that of write_graph: IntuneCD loses the scope tags of assignments. `csv`: the All devices export is
    there, which alone tells that a device is managed by Configuration Manager, and that it was uploaded.
    """
    book = Book(estate)
    tenant = {key: value for key, value in book.tenant.items() if key not in TENANT_TOLD}
    sections = {
        "hierarchies": [
            _without(h, HIERARCHY_TOLD - ({"version"} if build_of(h.get("version")) is None else set()))
            for h in book.all("hierarchies")
        ],
        "users": [_kept(user, ("upn",), _of_user(book, user)) for user in book.all("users")],
        "intune_assignments": [
            _kept(a, ("name", "role"), ["scope_tags"])
            for a in book.all("intune_assignments")
            if style == "intunecd" and _is_custom(book, a)
        ],
        "security_roles": [
            _kept(_owned(book, r), ("hierarchy", "name"), ["permissions"])
            for r in book.all("security_roles")
            if r.get("permissions") == {}
        ],
        "scripts": [_kept(_owned(book, s), ("hierarchy", "name"), ["parameters"]) for s in book.all("scripts")],
        "applications": [_owned(book, a) for a in book.all("applications")],
        "devices": [_kept(_owned(book, d), ("name", "hierarchy"), _of_device(d, csv=csv)) for d in book.all("devices")],
    }
    told = {
        "hierarchies": 1,
        "users": 1,
        "intune_assignments": 2,
        "security_roles": 2,
        "scripts": 2,
        "applications": 2,
        "devices": 2,
    }
    kept = {name: [r for r in records if len(r) > told[name]] for name, records in sections.items()}
    return (
        {key: estate[key] for key in SCALARS if key in estate}
        | ({"tenant": tenant} if tenant else {})
        | {name: records for name, records in kept.items() if records}
    )


def _of_user(book: Book, user: Data) -> list[str]:
    methods = user.get("discovered_by")
    unseen = not methods or not book.all("hierarchies")
    return [
        *USER_ONLY_HERE,
        *(["discovered_by"] if unseen else []),  # without a row, nobody can say that nothing found the account
        *(["discovered_upn"] if unseen or "ad" not in (methods or ()) else []),  # what Entra found is not what AD found
        *(["account"] if unseen else []),  # Graph has the DNS name of the domain, not DOMAIN
    ]


def _of_device(device: Data, *, csv: bool) -> list[str]:
    in_graph = device.get("management") in {"co-managed", "intune"}
    return [
        *(field for field in DEVICE_ONLY_HERE if not (csv and field == "uploaded" and device.get(field))),
        *([] if in_graph or csv else ["management"]),
        *([] if in_graph else ["scope_tags"]),
        *([] if in_graph or csv else ["intune_id"]),
    ]


def _is_custom(book: Book, assignment: Data) -> bool:
    return assignment["role"].casefold() in {
        n.casefold() for r in book.all("intune_roles") for n in (r["name"], r.get("id") or "")
    }


def _owned(book: Book, record: Data) -> Data:
    return record | {"hierarchy": book.hierarchy(record.get("hierarchy"))["id"]}


def _kept(record: Data, key: tuple[str, ...], fields: Iterable[str]) -> Data:
    return {name: record[name] for name in (*key, *fields) if record.get(name) is not None}


def _without(record: Data, fields: set[str]) -> Data:
    return {name: value for name, value in record.items() if name not in fields and value is not None}
