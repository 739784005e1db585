"""PC902: a change that lets people act on devices that must stay out of reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import SecurityView, security_view
from permcheck.checks.tier import tier_devices, tier_named
from permcheck.checks.widening import Widened, advice, by_edit, said, widened
from permcheck.model.fold import fold_case
from permcheck.model.tables import Key
from permcheck.review.diff import Changed
from permcheck.review.row import Devices


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find edits that let somebody act on tier-0 devices who is not named for them."""
    view = security_view(context)
    tier = yield from tier_named(context, view)
    if not tier:
        return
    widening = yield from widened(context, context.data("effects"), tuple(view.devices.keys(tier)))
    trusted = {fold_case(name) for name in context.listed("people")}
    others = widening._replace(changes=tuple(_of_others(widening.changes, view, trusted)))
    for one in by_edit(context, others):
        message = f"{said(view.tables, one)}, on {_devices(view, one)}"
        yield context.finding(one.place, message, one.edit, help_=advice(context, one))


def _of_others(changes: tuple[Changed, ...], view: SecurityView, trusted: set[str]) -> Iterator[Changed]:
    for change in changes:
        strangers = tuple(user for user in change.users if fold_case(view.tables.users[user].upn) not in trusted)
        if strangers:
            yield change._replace(users=strangers)


def _devices(view: SecurityView, one: Widened) -> str:
    found: dict[Key | None, Devices] = {}
    for devices in (change.devices for change in one.changes):
        known = found.setdefault(devices.area.hierarchy, devices)
        found[devices.area.hierarchy] = replace(known, bits=known.bits | devices.bits)
    return tier_devices(view, view.devices.these(key for devices in found.values() for key in devices.each()))
