"""PC101: a permission that nobody knows."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.errors import UnknownNameError


def check(context: Context) -> Iterator[Finding]:
    """Find permissions of role definitions that the policy does not know."""
    for role in context.definitions:
        for one in (*role.granted, *role.denied):
            if one.id is None:
                near = _near(context, role.plane, one.text)
                help_ = f"did you mean `{near}`?" if near else ""
                message = f"no {WORDS[role.plane]} is called `{one.text}`"
                yield context.finding(role.source.place(one.path), message, f"{role.name}/{one.text}", help_=help_)


WORDS = {"intune": "Intune permission", "configmgr": "operation of Configuration Manager"}


def _near(context: Context, plane: str, text: str) -> str:
    try:
        context.policy.find_permission(plane, text.replace(": ", "\\"))  # type: ignore[arg-type]
    except UnknownNameError as error:
        return error.near[0] if error.near else ""
    return ""
