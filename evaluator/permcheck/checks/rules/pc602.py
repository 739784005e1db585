"""PC602: an account with a role that nobody signs in with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from permcheck.checks.cloud_view import cloud_view
from permcheck.checks.context import Context
from permcheck.checks.finding import Finding, NotRun
from permcheck.checks.wording import counted, listed
from permcheck.model.estate import is_day
from permcheck.model.fold import fold_case


def check(context: Context) -> Iterator[Finding | NotRun]:
    """Find enabled accounts that hold something, and did not sign in for long."""
    view, most = cloud_view(context), int(context.option("days"))
    last = max((one.at for one in view.tables.collected), default=None)
    until = date.fromisoformat(last) if last else context.today
    spared = {fold_case(name) for name in context.listed("emergency-accounts")}
    holding = [user for user, held in view.holdings.items() if held]
    if holding and all(view.tables.users[user].last_sign_in is None for user in holding):
        yield context.not_run("the estate does not say when accounts with a role last signed in")
    for user in holding:
        one = view.tables.users[user]
        if one.enabled is not True or not is_day(one.last_sign_in or "") or fold_case(one.upn) in spared:
            continue
        days = (until - date.fromisoformat(str(one.last_sign_in))).days
        if days > most:
            what = listed(view.title(holding) for holding in view.holdings[user])
            message = f"`{one.upn}` has {what}, and did not sign in for {counted(days, 'day')}"
            yield context.finding(context.origin("users", user), message, one.upn)
