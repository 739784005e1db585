"""Which form each file of policy/ has."""

from __future__ import annotations

from typing import Final

from permcheck.model import policy
from permcheck.model.base import Form
from permcheck.model.policy_exports import ExportsFile
from permcheck.model.policy_values import ValuesFile

FORMS: Final[dict[str, type[Form]]] = {
    "sources": policy.SourcesFile,
    "permissions": policy.PermissionsFile,
    "roles": policy.RolesFile,
    "requirements": policy.RequirementsFile,
    "actions": policy.ActionsFile,
    "authority": policy.AuthorityFile,
    "editions": policy.EditionsFile,
    "notes": policy.NotesFile,
    "readings": policy.ReadingsFile,
    "errors": policy.ErrorsFile,
    "names": policy.NamesFile,
    "exports": ExportsFile,
    "values": ValuesFile,
}
"""Form of each file of policy/, by the first part of its path."""
