"""Which devices configuration calls tier 0: those that control everything else."""

from __future__ import annotations

from permcheck.checks.context import Context
from permcheck.checks.device_view import Devices
from permcheck.checks.security_view import SecurityView
from permcheck.checks.wording import counted, listing


def tier_of(context: Context, view: SecurityView) -> tuple[Devices, tuple[str, ...]]:
    """Return the devices that the options name, and names that nothing is called by."""
    found: Devices = 0
    unknown = []
    for name in context.listed("collections"):
        forms = view.tables.collections.items()
        keys = [key for key, form in forms if name.casefold() in {form.name.casefold(), form.id.casefold()}]
        found |= view.devices.reached(keys)
        unknown += [] if keys else [name]
    for name in context.listed("devices"):
        keys = [key for key, form in view.tables.devices.items() if form.name.casefold() == name.casefold()]
        found |= view.devices.these(keys)
        unknown += [] if keys else [name]
    return found, tuple(unknown)


def tier_devices(view: SecurityView, devices: Devices) -> str:
    """Count and name tier-0 devices."""
    return f"{counted(devices.bit_count(), 'tier-0 device')} ({listing(view.devices.names(devices))})"
