"""PC103: an operation that its object class does not have."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.roles import roles_of


def check(context: Context) -> Iterator[Finding]:
    """Find named operations that are none of a known class. Of some classes nobody lists the operations."""
    roles = roles_of(context)
    for role in roles.custom("configmgr"):
        for one in (*role.granted, *role.denied):
            class_ = roles.class_of(one) if one.id is None else None
            known = roles.operations.get(class_ or "", ())
            if known:
                name = one.text.partition(": ")[2]
                near = get_close_matches(name.title(), known, 1)
                help_ = f"did you mean `{near[0]}`?" if near else f"known are {', '.join(f'`{k}`' for k in known)}"
                message = f"`{class_}` has no operation `{name}`"
                yield context.finding(role.source.place(one.path), message, f"{role.name}/{one.text}", help_=help_)
