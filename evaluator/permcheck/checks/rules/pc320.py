"""PC320: a right to take over devices that must stay out of reach."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.device_view import Devices
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.security_view import SecurityView, security_view
from permcheck.checks.switches import switches
from permcheck.checks.tier import tier_devices, tier_named
from permcheck.checks.wording import lacking, listing
from permcheck.model.fold import fold_case
from permcheck.model.tables import Key, SecurityRow


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find rights to act on tier-0 devices that somebody holds who is not named for them."""
    yield from lacking(context, "administrative_users")
    view = security_view(context)
    tier = yield from tier_named(context, view)
    if tier is None:
        return
    trusted = {fold_case(name) for name in context.listed("people")}
    for row in view.tables.rows.values():
        operations = view.gives(row.role) & set(context.data("permission_takeover"))
        hit = view.reached((row,)) & tier if operations else 0
        named = fold_case(view.tables.admins[row.admin].name) in trusted
        if hit and not named and not view.holds(row, context.data("permission_full")):
            message = (
                f"{view.who(row)} may use {view.operations(operations)} on {tier_devices(view, hit)} through"
                f" `{view.role_name(row)}` on {view.on(_through(view, row, hit))}"
            )
            yield context.finding(context.origin("rows", row.key), message, view.subject(row))
    yield from _by_intune(context, view, tier, trusted)


def _by_intune(context: Context, view: SecurityView, tier: Devices, trusted: set[str]) -> Iterator[Finding]:
    """Find who may run scripts on tier-0 devices where Intune alone decides, which knows no scopes there."""
    cloud = cloud_view(context)
    permissions = set(context.data("permission_intune"))
    people = [
        user
        for user, held in cloud.holdings.items()
        if any(one.plane == "intune" and one.permissions & permissions for one in held) and cloud.is_active(user)
    ]
    strangers = [upn for upn in (view.tables.users[user].upn for user in people) if fold_case(upn) not in trusted]
    for hierarchy, form in view.tables.hierarchies.items():
        hit = tier & switches(context).devices(hierarchy)
        decides = {world.row.authority if world.row else "" for world in cloud.worlds(hierarchy)}
        if strangers and hit and decides == {"intune"}:
            message = f"Intune alone lets {listing(strangers)} run scripts on {tier_devices(view, hit)} of `{form.id}`"
            yield context.finding(context.origin("hierarchies", hierarchy), message, f"{form.id}/intune")


def _through(view: SecurityView, row: SecurityRow, devices: Devices) -> tuple[Key, ...]:
    return tuple(key for key in view.covered(row) if view.devices.reach(key) & devices)
