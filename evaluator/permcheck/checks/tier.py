"""Which devices configuration calls tier 0: those that control everything else."""

from __future__ import annotations

from collections.abc import Generator

from permcheck.checks.context import Context
from permcheck.checks.device_view import Devices
from permcheck.checks.finding import NotRun
from permcheck.checks.security_view import SecurityView
from permcheck.checks.wording import counted, listing
from permcheck.model.fold import fold_case


def tier_named(context: Context, view: SecurityView) -> Generator[NotRun, None, Devices | None]:
    """Return the tier-0 devices; None where no option names any. Yields what can't be evaluated."""
    if not context.listed("collections") and not context.listed("devices"):
        yield context.not_run("options `collections` and `devices` name no tier-0 devices")
        return None
    tier, unknown = tier_of(context, view)
    yield from (context.not_run(f"no collection or device is called `{name}`") for name in unknown)
    return tier


def tier_of(context: Context, view: SecurityView) -> tuple[Devices, tuple[str, ...]]:
    """Return the devices that the options name, and names that nothing is called by."""
    found: Devices = 0
    unknown = []
    for name in context.listed("collections"):
        forms = view.tables.collections.items()
        keys = [key for key, form in forms if fold_case(name) in {fold_case(form.name), fold_case(form.id)}]
        found |= view.devices.reached(keys)
        unknown += [] if keys else [name]
    for name in context.listed("devices"):
        keys = [key for key, form in view.tables.devices.items() if fold_case(form.name) == fold_case(name)]
        found |= view.devices.these(keys)
        unknown += [] if keys else [name]
    return found, tuple(unknown)


def tier_devices(view: SecurityView, devices: Devices) -> str:
    """Count and name tier-0 devices."""
    return f"{counted(devices.bit_count(), 'tier-0 device')} ({listing(view.devices.names(devices))})"
