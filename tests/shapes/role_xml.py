"""Write the custom security roles of a hierarchy as Export-CMSecurityRole does."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

from shapes.estate_data import Book, Data
from shapes.site_rows import Site

DESCRIPTION = 'Ändert nichts, 役割 <& "read">'


def write_role_xml(estate: Data, hierarchy: str, folder: Path, *, seed: int = 1, together: bool = True) -> None:
    """Write custom roles, attributes in any order. `together`: all in `roles.xml`, otherwise a file for each role.

    Such a file has no RoleID and no bits by name: it goes with SMS_AvailableOperation of the same site.
    """
    chance = random.Random(seed)
    roles = {
        row["RoleName"]: row
        for row in Site(Book(estate), hierarchy).roles()
        if not row["IsBuiltIn"] and row["Operations"] is not None
    }
    texts = {name: "\n".join(_role(row, chance)) for name, row in roles.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in ({"roles": "\n".join(texts.values())} if together else texts).items():
        if text:
            (folder / f"{name}.xml").write_text(f"<SMS_Roles>\n{text}\n</SMS_Roles>\n", encoding="utf-8")


def _role(row: Data, chance: random.Random) -> Iterator[str]:
    head = {
        "CopiedFromID": row["CopiedFromID"],
        "RoleName": row["RoleName"],
        "RoleDescription": row["RoleDescription"] or DESCRIPTION,
    }
    yield f"  <SMS_Role{_attributes(head, chance)}>"
    yield "    <Operations>"
    yield from (f"      <Operation{_attributes(operation, chance)} />" for operation in row["Operations"])
    yield "    </Operations>"
    yield "  </SMS_Role>"


def _attributes(values: Mapping[str, object], chance: random.Random) -> str:
    pairs = list(values.items())
    chance.shuffle(pairs)
    return "".join(f" {key}={quoteattr(str(value))}" for key, value in pairs)
