"""`permcheck check` and `permcheck explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from permcheck.cli import complete
from permcheck.cli.codes import Exit
from permcheck.cli.options import question_options
from permcheck.cli.session import Asked, cache_of, keep, open_estate
from permcheck.cli.terminal import tell
from permcheck.render.brief import brief as make_brief
from permcheck.render.brief import brief_line

if TYPE_CHECKING:
    from permcheck.api import Estate
    from permcheck.cache.recall import Recalled
    from permcheck.model.decision import Decision
    from permcheck.model.state import Verdict

user_argument = click.argument("user", shell_complete=complete.users)
action_argument = click.argument("action", shell_complete=complete.actions)
device_argument = click.argument("device", required=False, shell_complete=complete.devices)


@click.command(short_help="Answer one question in one line.")
@user_argument
@action_argument
@device_argument
@question_options
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; the exit code is the answer.")
@click.option(
    "--cache/--no-cache",
    default=True,
    envvar="PERMCHECK_CACHE",
    show_envvar=True,
    help="Compile an estate that is asked about again, and answer from that.",
)
def check(
    user: str,
    action: str,
    device: str | None,
    object_: str | None,
    format_: str,
    quiet: bool,  # noqa: FBT001 - click passes flags so
    cache: bool,  # noqa: FBT001
    **how: object,
) -> int:
    """Tell whether USER can do ACTION on DEVICE: one line, and an exit code.

    \b
    permcheck check helpdesk@contoso.com run-cmpivot PC-0042
    permcheck check anna@contoso.com run-cmpivot:administrators PC-0042
    permcheck check anna@contoso.com set-use-intune-rbac

    Exit codes: 0 allow, 1 deny, 2 usage, 3 the estate can't be used,
    4 undetermined, 70 internal error.
    """  # noqa: D301 - click's own marker
    question = asked(how)
    kept = cache_of(question) if cache and format_ == "text" and object_ is None else None
    recalled = kept.answer(user, action, device) if kept else None
    if recalled is not None:
        return _show_recalled(recalled, quiet=quiet)
    estate = open_estate(question)
    decision = estate.check(user, action, device, object=object_)
    if not quiet:
        show(estate, decision, format_, brief=True)
    if kept is not None:
        keep(kept, estate)
    return exit_code(decision.verdict)


def _show_recalled(recalled: Recalled, *, quiet: bool) -> int:
    for warning in recalled.warnings:
        tell(*warning)
    if not quiet:
        click.echo(brief_line(recalled.answer))
    return exit_code(recalled.answer.verdict)


@click.command(short_help="Answer one question with proof, fixes and sources.")
@user_argument
@action_argument
@device_argument
@question_options
def explain(user: str, action: str, device: str | None, object_: str | None, format_: str, **how: object) -> int:
    """Tell why USER can, or can't, do ACTION on DEVICE.

    \b
    permcheck explain helpdesk@contoso.com run-cmpivot PC-1042
    permcheck explain helpdesk@contoso.com run-script PC-1042 --what-if hierarchy:PRD.enforce-cm-rbac=off

    Shows who decides, every requirement with its proof or what is missing, tried fixes,
    near misses, the error text that the person sees, and the source of every step.
    """  # noqa: D301 - click's own marker
    estate = open_estate(asked(how))
    decision = estate.check(user, action, device, object=object_)
    show(estate, decision, format_, brief=False)
    return exit_code(decision.verdict)


def asked(how: dict[str, object]) -> Asked:
    """Return the options that say how to open the estate."""
    return Asked(**how)  # type: ignore[arg-type]


def show(estate: Estate, decision: Decision, format_: str, *, brief: bool) -> None:
    """Print a decision."""
    if format_ == "json":
        from permcheck.render.document import decision_json

        click.echo(decision_json(decision, estate.policy))
    elif format_ == "markdown":
        from permcheck.render.markdown import decision_markdown

        click.echo(decision_markdown(decision, estate.policy), nl=False)
    elif brief:
        click.echo(brief_line(make_brief(decision)))
    else:
        from permcheck.cli.terminal import console
        from permcheck.render.text import print_explanation

        print_explanation(console(), decision, estate.policy)


def exit_code(verdict: Verdict) -> int:
    """Return the exit code for a verdict."""
    return {"allow": Exit.ALLOW, "deny": Exit.DENY, "undetermined": Exit.UNDETERMINED}[verdict.value]
