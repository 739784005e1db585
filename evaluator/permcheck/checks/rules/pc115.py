"""PC115: a permission that a role lists twice."""

from __future__ import annotations

from collections.abc import Iterator

from permcheck.checks.context import Context
from permcheck.checks.finding import Finding
from permcheck.checks.roles import roles_of
from permcheck.model.fold import fold_case


def check(context: Context) -> Iterator[Finding]:
    """Find permissions that stand twice in one role, in whatever spelling."""
    for role in roles_of(context).custom():
        for part in (role.granted, role.denied):
            seen: dict[str, str] = {}
            for one in part:
                key = one.id or fold_case(one.text)
                if key in seen:
                    spelled = "" if seen[key] == one.text else f", first as `{seen[key]}`"
                    message = f"`{role.name}` lists `{one.text}` twice{spelled}"
                    yield context.finding(role.source.place(one.path), message, f"{role.name}/{key}")
                seen.setdefault(key, one.text)
