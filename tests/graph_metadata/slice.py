"""Cut the types that a collection holds out of Microsoft's own metadata of Graph, as a JSON Schema.

    python tests/graph_metadata/slice.py clean_v10_metadata/cleanMetadata.xml

The metadata is that of github.com/microsoftgraph/msgraph-metadata (MIT). Facts only: names, types, nullability,
inheritance and the members of enumerations. What only the beta has is listed in BETA, since its metadata is not at hand.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from defusedxml.ElementTree import parse
from permcheck.live import asks_graph as ask

OUTPUT = Path(__file__).parent / "graph.schema.json"
EDM = "{http://docs.oasis-open.org/odata/ns/edm}"
PRIMITIVES = {"Boolean": "boolean", "Int32": "integer", "Int64": "integer", "Double": "number"}
"""Everything else is a string in JSON."""

# Types whose every property is taken.
WHOLE = (
    "appRole",
    "appRoleAssignment",
    "assignedPlan",
    "deviceAndAppManagementRoleAssignment",
    "deviceAndAppManagementRoleDefinition",
    "roleDefinition",
    "subscribedSku",
    "unifiedRoleAssignment",
    "unifiedRoleDefinition",
    "unifiedRoleEligibilitySchedule",
    "privilegedAccessGroupEligibilitySchedule",
)
# Types of which requests select.
SELECTED = {
    "user": (ask.USERS, ask.SIGN_INS),
    "group": (ask.GROUPS,),
    "organization": (ask.ORGANIZATION,),
    "servicePrincipal": (ask.APPLICATION,),
    "managedDevice": (ask.DEVICES,),
}
# What a request expands.
EXPANDED = {
    "roleAssignment": {"roleDefinition": "graph.roleDefinition"},
    "unifiedRoleAssignment": {"principal": "graph.directoryObject"},
}

STRINGS = "Collection(Edm.String)"
# Only in the beta; from its reference pages (intune-rbac-*, intune-devices-*), as of August 2024.
BETA: dict[str, dict[str, str]] = {
    "roleDefinition": {
        "isBuiltInRoleDefinition": "Edm.Boolean",
        "permissions": "Collection(graph.rolePermission)",
        "roleScopeTagIds": STRINGS,
    },
    "rolePermission": {"actions": STRINGS},
    "roleAssignment": {"scopeMembers": STRINGS, "scopeType": "graph.roleAssignmentScopeType"},
    "deviceAndAppManagementRoleAssignment": {"roleScopeTagIds": STRINGS},
    "managedDevice": {
        "joinType": "graph.joinType",
        "roleScopeTagIds": STRINGS,
        "configurationManagerClientInformation": "graph.configurationManagerClientInformation",
    },
}
BETA_TYPES: dict[str, dict[str, str]] = {
    "roleScopeTag": {
        "id": "Edm.String",
        "displayName": "Edm.String",
        "description": "Edm.String",
        "isBuiltIn": "Edm.Boolean",
    },
    "tenantAttachRBACState": {"enabled": "Edm.Boolean"},
    "configurationManagerClientInformation": {
        "clientIdentifier": "Edm.String",
        "isBlocked": "Edm.Boolean",
        "clientVersion": "Edm.String",
    },
}
BETA_ENUMS: dict[str, tuple[str, ...]] = {
    "roleAssignmentScopeType": (
        "resourceScope",
        "allDevices",
        "allLicensedUsers",
        "allDevicesAndLicensedUsers",
        "unknownFutureValue",
    ),
    "joinType": ("unknown", "azureADJoined", "azureADRegistered", "hybridAzureADJoined"),
}


class Slice:
    """What is taken, and all that it leads to."""

    def __init__(self, metadata: Path) -> None:
        schema = next(s for s in parse(metadata).iter(f"{EDM}Schema") if s.get("Namespace") == "microsoft.graph")
        self.found = {element.get("Name"): element for element in schema if element.get("Name")}
        self.types: dict[str, Any] = {}

    def take(self, name: str) -> None:
        """Take a type, once."""
        if name in self.types:
            return
        self.types[name] = {}
        if name in BETA_ENUMS:
            self.types[name] = {"enum": list(BETA_ENUMS[name])}
        elif name in BETA_TYPES:
            self.types[name] = self.struct({key: self.kind(type_) for key, type_ in BETA_TYPES[name].items()}, "")
        elif self.found[name].tag == f"{EDM}EnumType":
            self.types[name] = {"enum": [member.get("Name") for member in self.found[name]]}
        else:
            self.types[name] = self.structured(name)

    def structured(self, name: str) -> dict[str, Any]:
        """An entity or complex type."""
        element = self.found[name]
        base = element.get("BaseType", "").removeprefix("graph.")
        own = {
            p.get("Name"): self.kind(p.get("Type"), nullable=p.get("Nullable") != "false")
            for p in element.findall(f"{EDM}Property")
            if name not in SELECTED or p.get("Name") in selected(SELECTED[name])
        }
        for more in (BETA, EXPANDED):
            own |= {key: self.kind(type_) for key, type_ in more.get(name, {}).items()}
        if base:
            self.take(base)
        missing = selected(SELECTED[name]) - own.keys() - {"id"} if name in SELECTED else set()
        if missing:
            message = f"{name} has no {', '.join(sorted(missing))}"
            raise SystemExit(message)
        return self.struct(own, base)

    def struct(self, properties: dict[str, Any], base: str) -> dict[str, Any]:
        """Annotations of OData may stand anywhere."""
        result: dict[str, Any] = {"type": "object"}
        if base:
            result["allOf"] = [{"$ref": f"#/$defs/{base}"}]
        return result | {"properties": dict(sorted(properties.items())), "patternProperties": {"@odata[.]": {}}}

    def kind(self, type_: str, *, nullable: bool = True) -> dict[str, Any]:
        """A type as it is used: nothing may stand in it that it doesn't have."""
        if type_.startswith("Collection("):
            inner = self.kind(type_.removeprefix("Collection(").removesuffix(")"), nullable=False)
            return {"type": "array", "items": inner}
        space, _, name = type_.rpartition(".")
        if space == "Edm":
            kind = PRIMITIVES.get(name, "string")
            return {"type": [kind, "null"] if nullable else kind}
        self.take(name)
        derived = ("user", "group", "servicePrincipal") if name == "directoryObject" else (name,)
        for one in derived:
            self.take(one)
        # An expanded principal comes with more than what is selected of it elsewhere.
        closed = {} if name == "directoryObject" else {"unevaluatedProperties": False}
        options: list[dict[str, Any]] = [{"$ref": f"#/$defs/{one}", **closed} for one in derived]
        if "enum" in self.types[name]:
            options = [{"$ref": f"#/$defs/{name}"}]
        options += [{"type": "null"}] if nullable else []
        return options[0] if len(options) == 1 else {"anyOf": options}


def selected(requests: Any) -> set[str]:
    """What requests select."""
    return {name for one in requests for name in parse_qs(urlsplit(one.path).query)["$select"][0].split(",")}


def main() -> None:
    """Write the schema."""
    cut = Slice(Path(sys.argv[1]))
    for name in (*WHOLE, *SELECTED, *BETA_TYPES):
        cut.take(name)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Written by slice.py from microsoftgraph/msgraph-metadata (MIT); facts only.",
        "$defs": dict(sorted(cut.types.items())),
    }
    OUTPUT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
