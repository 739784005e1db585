"""Follow unknown switches and versions on every branch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from permcheck.evaluate.question import World
from permcheck.model.fold import fold_case
from permcheck.model.policy import AuthorityRow
from permcheck.model.policy_index import Policy
from permcheck.model.tables import Key, Tables

ON_WORDS = {"on", "checked"}


def switch_value(stated: bool | str | None) -> bool | None:  # noqa: FBT001 - it reads what a file states
    """Return what a switch stands on: On and checked are True; None where nobody said."""
    if stated is None or isinstance(stated, bool):
        return stated
    return fold_case(stated) in ON_WORDS


def worlds(
    tables: Tables, policy: Policy, readings: Mapping[str, str], hierarchy: Key | None, edition: str | None
) -> tuple[World, ...]:
    """Every way in which the switches and the version may stand, for questions about a hierarchy.

    `edition` overrides what the version or the estate's date would choose.
    """
    chosen = edition or (policy.edition_at(tables.as_of) if tables.as_of else None)
    if hierarchy is None:
        return (World(chosen or next(reversed(policy.editions)), None, None, None, None),)
    record = tables.hierarchies[hierarchy]
    toggle = switch_value(tables.tenant.use_intune_rbac)
    checkbox = switch_value(record.enforce_configmgr_rbac)
    versions = (record.version,) if record.version is not None else tuple(policy.versions)
    found = []
    for version in versions:
        for on in _branches(toggle):
            for checked in _branches(checkbox):
                at = chosen or policy.edition_for(version)
                row = authority(policy, readings, at, version, toggle=on, checkbox=checked)
                found.append(World(at, version, on, checked, row))
    return tuple(found)


def _branches(value: bool | None) -> tuple[bool, ...]:  # noqa: FBT001 - it reads one
    return (True, False) if value is None else (value,)


def authority(
    policy: Policy, readings: Mapping[str, str], edition: str, version: int, *, toggle: bool, checkbox: bool
) -> AuthorityRow:
    """Return the first row of the switch table that fits."""
    return next(_fitting(policy, readings, edition, version, toggle=toggle, checkbox=checkbox))


def _fitting(
    policy: Policy, readings: Mapping[str, str], edition: str, version: int, *, toggle: bool, checkbox: bool
) -> Iterator[AuthorityRow]:
    for row in policy.authority.table:
        if (
            (row.before_edition is None or edition < row.before_edition)
            and (row.below_version is None or version < row.below_version)
            and (row.toggle is None or (row.toggle == "on") is toggle)
            and (row.checkbox is None or (row.checkbox == "checked") is checkbox)
            and all(readings[name] == alternative for name, alternative in row.reading.items())
        ):
            yield row
