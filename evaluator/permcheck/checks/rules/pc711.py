"""PC711: both halves of a declared pair in one person."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.cloud_view import CloudView, cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun, Place
from permcheck.errors import UnknownNameError
from permcheck.model.policy import Plane
from permcheck.model.tables import Key

PLANES: tuple[Plane, ...] = ("intune", "configmgr", "entra")


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find people who certainly hold both permissions of a pair, whatever gives them."""
    view = cloud_view(context)
    if not str(context.option("pairs")).strip():
        yield context.not_run("option `pairs` declares nothing to keep apart")
    for text in str(context.option("pairs")).split(";"):
        names = [name.strip() for name in text.split("+")]
        ids = [_find(context, name) for name in names]
        if text.strip() and (len(ids) != len(PLANES) - 1 or None in ids):
            message = f"the option `pairs` has `{text.strip()}`, which is not two permissions"
            yield context.finding(Place("permcheck.toml"), message, text.strip(), help_="write `A + B; C + D`")
        elif text.strip():
            yield from _both(context, view, str(ids[0]), str(ids[1]))


def _find(context: Context, name: str) -> str | None:
    for plane in PLANES:
        try:
            return context.policy.find_permission(plane, name)
        except UnknownNameError:
            continue
    return None


def _both(context: Context, view: CloudView, one: str, two: str) -> Iterator[Finding]:
    titles = context.policy.title(one), context.policy.title(two)
    for user in view.tables.users:
        ways = [_through(view, user, permission) for permission in (one, two)]
        if all(ways) and view.is_active(user):
            upn = view.tables.users[user].upn
            message = f"`{upn}` holds `{titles[0]}` through `{ways[0]}`, and `{titles[1]}` through `{ways[1]}`"
            yield context.finding(context.origin("users", user), message, f"{upn}/{one}+{two}")


def _through(view: CloudView, user: Key, permission: str) -> str:
    return next((view.title(one) for one in view.holdings[user] if permission in one.permissions), "")
