"""Read a role export of the Configuration Manager console. XML comes from outside: no DOCTYPE, no entities."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import parse

from permcheck.errors import LoadError, Problem
from permcheck.exports.batch import Batch, folded
from permcheck.loading.files import file_problem

XML_LIMIT: Final = 32 * 2**20
ROOT: Final = "SMS_Roles"


def xml_batches(path: Path, folder: str) -> Iterator[Batch]:
    """Return the roles of an XML file. Raises LoadError."""
    if path.stat().st_size > XML_LIMIT:
        message = f"XML files are read up to {XML_LIMIT // 2**20} MiB"
        raise file_problem(path, "too-large", message, "export fewer roles into one file")
    try:
        root: Any = parse(path, forbid_dtd=True).getroot()
    except DefusedXmlException:
        help_ = "an export of the console has none"
        raise file_problem(path, "doctype", "the XML has a DOCTYPE or entities, and is refused", help_) from None
    except ParseError as error:
        line, column = error.position
        message = "the file is empty" if path.stat().st_size == 0 else "the file is not XML, or was cut"
        raise LoadError((Problem(str(path), line, column + 1, "syntax", message, "export it again"),)) from None
    except (ValueError, LookupError):
        raise file_problem(path, "encoding", "the XML names an encoding that is not known") from None
    roles = [root] if _name(root) == "SMS_Role" else [child for child in root if _name(child) == "SMS_Role"]
    if _name(root) not in {ROOT, "SMS_Role"}:
        message = f"the XML is no role export: it begins with `{_name(root)[:40]}`"
        raise file_problem(path, "shape", message, f"an export of the console begins with `{ROOT}`")
    rows = [folded(_role(role)) for role in roles]
    yield Batch(str(path), folder, "/SMS_Roles/SMS_Role", rows[0] if rows else {}, lambda: rows, format="xml")


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _role(role: Any) -> dict[str, Any]:
    """Return a role; it has no list of operations where the file has none, which is no empty one."""
    listed = [item for item in role.iter() if _name(item) in {"Operation", "Operations"}]
    operations = [dict(item.attrib) for item in listed if _name(item) == "Operation"]
    return {**role.attrib, **({"Operations": operations} if listed else {})}
