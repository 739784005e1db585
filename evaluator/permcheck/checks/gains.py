"""What one person can do before and after a switch is flipped, asked of a few devices that stand for many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from permcheck.checks.context import Context
from permcheck.checks.device_view import Devices
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import security_view
from permcheck.checks.switches import Flip, switches, without_toggle
from permcheck.checks.wording import counted, lacking, listing
from permcheck.model.state import Verdict
from permcheck.model.tables import Key, SecurityRow

if TYPE_CHECKING:
    from permcheck.api import Estate

ASKED = 3
"""Devices that are asked about for each person."""


class Turned:
    """An action, before and after a switch."""

    def __init__(self, context: Context, flip: Flip, action: str) -> None:
        self.action = action
        self._before, self._after = context.estate, flip.after
        self._devices = security_view(context).devices

    def denied_before(self, user: Key, devices: Devices) -> bool:
        """Tell whether the first devices are certainly denied as things stand."""
        return self._denied(self._before, user, devices)

    def denied_after(self, user: Key, devices: Devices) -> bool:
        """Tell whether the first devices are certainly denied once the switch is flipped."""
        return self._denied(self._after, user, devices)

    def _denied(self, estate: Estate, user: Key, devices: Devices) -> bool:
        upn = estate.tables.users[user].upn
        asked = islice(self._devices.keys(devices), ASKED)
        return all(estate.verdict(upn, self.action, device) is Verdict.DENY for device in asked)


class Turn(NamedTuple):
    """One switch and one action."""

    flip: Flip
    turned: Turned
    permission: str
    """What Intune asks for."""
    needed: tuple[str, ...]
    """What Configuration Manager asks for."""
    devices: Devices


Change: TypeAlias = Callable[[Turn], Iterator[tuple[Key, Devices]]]
"""Returns the people for whom something changes, with the devices on which it does."""


def changes(context: Context, change: Change, says: str) -> Iterator[Finding | NotRun]:
    """Report for whom flipping one switch changes an action. `says`: how, with {users} and {action}."""
    yield from without_toggle(context)
    yield from lacking(context, "users", "intune_assignments", "administrative_users", "devices")
    view = switches(context)
    for flip in view.flips:
        form = view.tables.hierarchies[flip.hierarchy]
        for permission, needed in context.data("permission_configmgr").items():
            turned = Turned(context, flip, context.data("actions")[permission])
            turn = Turn(flip, turned, permission, tuple(needed), view.devices(flip.hierarchy))
            found = {user: devices.bit_count() for user, devices in change(turn)}
            if found:
                how = says.format(users=counted(len(found), "user"), action=turned.action)
                most = counted(max(found.values()), "device")
                names = listing(view.tables.users[user].upn for user in found)
                message = f"{flip.words} {how}, on up to {most} of `{form.id}`: {names}"
                place = context.origin("hierarchies", flip.hierarchy)
                yield context.finding(place, message, f"{form.id}/{turned.action}")


def today(context: Context, user: Key, hierarchy: Key, needed: Iterable[str]) -> Devices | None:
    """Return the devices over which a user may hold what Configuration Manager asks for; None where nobody can tell."""
    view = security_view(context)
    if view.tables.users[user].synced is False:
        return 0
    if view.open:
        return None
    rows = tuple(view.possible(user, hierarchy))
    found = _over(context, {one: [row for row in rows if view.may(row.role, one)] for one in needed})
    return found | view.devices.these(view.tables.membership_open) if rows else found


def certain(context: Context, user: Key, hierarchy: Key, needed: Iterable[str]) -> Devices:
    """Return the devices over which a user certainly holds what Configuration Manager asks for."""
    view = security_view(context)
    rows = [row for row in view.possible(user, hierarchy) if user in view.people(row)]
    return _over(context, {one: [row for row in rows if one in view.gives(row.role)] for one in needed})


def _over(context: Context, rows: dict[str, list[SecurityRow]]) -> Devices:
    """Return the devices that every permission reaches; one that is not of a collection reaches all, if it is held."""
    view = security_view(context)
    found: Devices | None = None
    for permission, held in rows.items():
        if view.on_devices(permission):
            reached = view.reached(held)
            found = reached if found is None else found & reached
        elif not held:
            return 0
    return found or 0
