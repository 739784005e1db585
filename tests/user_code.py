"""The library as its users write it: everything public, fully typed. `mypy --strict` passes it, a test runs it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import permcheck
from permcheck import Decision, Estate, Fix, Proof, Request, Requirement, State, Verdict, change


def headline(decision: Decision) -> str:
    """Say a verdict; a new kind of verdict would be a type error here."""
    match decision.verdict:
        case Verdict.ALLOW:
            return f"{decision.user} can {decision.action}"
        case Verdict.DENY:
            return f"{decision.user} can't {decision.action}"
        case Verdict.UNDETERMINED:
            return f"nobody knows whether {decision.user} can {decision.action}"


def lacking(decision: Decision) -> tuple[str, ...]:
    """Name what fails or is not known."""
    requirements: tuple[Requirement, ...] = (*decision.unmet, *decision.unknown)
    return tuple(r.id for r in requirements if r.state is not State.MET)


def chain(proof: Proof) -> Iterator[str]:
    """Tell a proof step by step, with the places of the estate."""
    for step in proof.steps:
        place = f"{step.origin.file}:{step.origin.line}" if step.origin else ""
        yield f"{step.text} {place} {' '.join(step.sources)}".strip()


def cheapest(decision: Decision) -> Fix | None:
    """Return the fix that gives the least, if there is one."""
    return decision.fixes[0] if decision.fixes else None


def review(estate: Estate, users: tuple[str, ...], device: str) -> Mapping[str, Verdict]:
    """Ask the same of many users."""
    requests = [Request(user, "run-cmpivot", device) for user in users]
    return {decision.user: decision.verdict for decision in estate.check_many(requests)}


def try_to_load(path: Path) -> Estate | None:
    """Load an estate, or say everything that is wrong with it."""
    try:
        return permcheck.load(path)
    except permcheck.LoadError as error:
        for problem in error.problems:
            sys.stdout.write(f"{problem.file}:{problem.line}:{problem.column} {problem.id} {problem.message}\n")
        return None


def ask(estate: Estate, user: str, action: str, device: str) -> Decision | str:
    """Ask, or return what is wrong with the question."""
    try:
        return estate.check(user, action, device)
    except permcheck.AmbiguousNameError as error:
        return f"{error}: {', '.join(error.near)}"
    except permcheck.UnknownNameError as error:
        return f"{error.kind} {error.name}: {error.help}"
    except permcheck.QuestionError as error:
        return f"{error.message}: {error.help}"


def main(path: Path) -> int:
    """Print a short report about the example tenant."""
    estate = try_to_load(path)
    if estate is None:
        return 3
    write = sys.stdout.write
    decision = estate.check("helpdesk@contoso.com", "run-script", "PC-1042", object="Clear print queue")
    write(f"{headline(decision)}: {', '.join(lacking(decision))}\n")
    fix = cheapest(decision)
    if fix is not None:
        repaired = estate.with_changes(*fix.changes)
        write(f"after `{fix.texts[0]}`: {repaired.verdict(decision.user, 'run-script', 'PC-1042').value}\n")
    allowed = estate.check("helpdesk@contoso.com", "run-cmpivot", "PC-1042")
    write("".join(f"{line}\n" for proof in allowed.paths for line in chain(proof)))
    users = ("helpdesk@contoso.com", "cloud-helpdesk@contoso.com")
    for name, changed in {
        "as it is": estate,
        "toggle off": estate.what_if("use-intune-rbac=off"),
        "checkbox cleared": estate.with_changes(
            change.SetFact("hierarchy", "prd", "enforce_configmgr_rbac", "cleared")
        ),
        "every edition": estate.with_settings(strict=True),
    }.items():
        verdicts = review(changed, users, "PC-1042")
        write(f"{name}: {', '.join(f'{user} {verdict.value}' for user, verdict in verdicts.items())}\n")
    wrong = ask(estate, "helpdesk@contoso.com", "run-cmpivto", "PC-1042")
    write(f"{wrong if isinstance(wrong, str) else headline(wrong)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
