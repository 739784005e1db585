"""PC804: a list of devices without those that are only attached."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.wording import counted
from permcheck.model.tables import hierarchy_of


def check(context: Context) -> Iterator[Finding]:
    """Find hierarchies that upload everything, and have devices of Intune alone."""
    tables = context.estate.tables
    of: dict[str, list[str | None]] = {}
    for key, device in tables.devices.items():
        of.setdefault(hierarchy_of(key), []).append(device.management)
    for key, record in tables.hierarchies.items():
        managed = of.get(key, [])
        whole = record.tenant_attached is True and record.upload == "all"
        if whole and managed and not {"configmgr", None} & set(managed):
            many = counted(len(managed), "device")
            message = f"none of the {many} of hierarchy `{record.id}` is managed by Configuration Manager alone"
            yield context.finding(context.origin("hierarchies", key), message, record.id)
