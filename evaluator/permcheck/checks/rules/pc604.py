"""PC604: a right to act that was not used for as long as a log looks back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from permcheck.checks.cloud_view import CloudView, Holding, cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.wording import counted, listed
from permcheck.model.tables import Key, Usage


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find people of whom a log records no use of a right that they certainly hold."""
    view, least = cloud_view(context), int(context.option("days"))
    used: dict[Key, set[str]] = {}
    for user, action in (use for one in view.tables.usage for use in one.used):
        used.setdefault(user, set()).add(action)
    for log in view.tables.usage:
        days = (date.fromisoformat(log.until) - date.fromisoformat(log.since)).days + 1
        served = {right: acts for right, acts in context.data("actions").items() if set(acts) <= set(log.actions)}
        if days < least:
            yield context.not_run(f"`{log.source}` covers {counted(days, 'day')}, and fewer than {least} tell little")
        elif not served:
            yield context.not_run(f"`{log.source}` does not record every action of any right to act")
        else:
            for user in sorted(view.tables.users):
                mine = used.get(user, set())
                if view.is_active(user) and "" not in mine:
                    yield from _unused(context, log, user, mine, served)


def _unused(context: Context, log: Usage, user: Key, mine: set[str], served: dict[str, list[str]]) -> Iterator[Finding]:
    policy, view = context.policy, cloud_view(context)
    held = [one for one in view.holdings[user] if _is_covered(view, one, log)]
    mightier = {right for one in view.holdings[user] if one.whole for right in one.permissions}
    unused: dict[tuple[str, ...], list[str]] = {}
    for right in sorted(served):
        givers = tuple(dict.fromkeys(view.title(one) for one in held if right in one.permissions))
        wider = any(other in one.permissions for one in held for other in policy.implied_by.get(right, ()))
        if givers and not wider and right not in mightier and mine.isdisjoint(served[right]):
            unused.setdefault(givers, []).append(f"`{policy.title(right)}`{_enough(context, right, mine)}")
    if unused:
        upn = view.tables.users[user].upn
        rights = "; ".join(f"{', '.join(some)} of {listed(givers)}" for givers, some in unused.items())
        message = f"from {log.since} to {log.until}, by `{log.source}`, `{upn}` did not use {rights}"
        yield context.finding(context.origin("users", user), message, f"{upn}/{log.source}")


def _is_covered(view: CloudView, one: Holding, log: Usage) -> bool:
    """Tell whether a log records uses wherever a holding gives something."""
    if one.plane == "configmgr":
        return view.row(one).hierarchy in log.hierarchies
    return set(log.hierarchies) == set(view.tables.hierarchies)


def _enough(context: Context, right: str, mine: set[str]) -> str:
    """Name a smaller right that gives what was used."""
    smaller = context.policy.permissions[right].implies
    found = [one for one in smaller if not mine.isdisjoint(context.data("actions").get(one, ()))]
    return f" (`{context.policy.title(found[0])}` is enough for what was used)" if found else ""
