"""Estates of which every file tells which it is, and writers of them that are killed.

    python mixtures.py steps FOLDER        kill a writer before each of its steps
    python mixtures.py moments FOLDER      kill writers at some moments
    python mixtures.py forever FOLDER      write one and the other until somebody kills this

What was found after each kill is printed as JSON. It is a program of its own because pytest has threads, and can't
be divided safely.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from permcheck.api import load
from permcheck.errors import LoadError
from permcheck.exports.write import texts_of, write_estate

USERS = {"old": ("anna", "bert"), "new": ("carla",)}


def data(which: str) -> dict[str, Any]:
    """An estate whose every file tells which it is; the new one has a file less, and another one."""
    lists: dict[str, Any] = {
        "old": {"scripts": [{"name": "old"}], "hierarchies": [{"id": "OLD", "version": 2211}]},
        "new": {"devices": [{"name": "new", "hierarchy": "NEW"}], "hierarchies": [{"id": "NEW", "version": 2211}]},
    }
    return {
        "estate": which,
        "tenant": {"use_intune_rbac": "On" if which == "old" else "Off"},
        "users": [{"upn": f"{name}-{which}@x.example"} for name in USERS[which]],
        "groups": [{"name": f"group-{which}", "type": "security", "members": []}],
        **lists[which],
    }


def which_of(folder: Path) -> str:
    """Load an estate and tell which it is; anything that is neither fails."""
    tables = load(folder).tables
    found: set[str] = {
        tables.name,
        *(user.upn.partition("@")[0].partition("-")[2] for user in tables.users.values()),
        *(group.name.partition("-")[2] for group in tables.groups.values()),
        *(hierarchy.id.lower() for hierarchy in tables.hierarchies.values()),
        *(one.name for one in tables.scripts.values()),
        *(one.name for one in tables.devices.values()),
        {"On": "old", "Off": "new"}[str(tables.tenant.use_intune_rbac)],
    }
    which = found.pop()
    if found or len(tables.users) != len(USERS[which]):
        raise AssertionError(f"a mixture: {which}, {found}")
    return which


def or_refused(folder: Path) -> str:
    """Tell which estate it is, or that reading was refused: then with a way out."""
    try:
        return which_of(folder)
    except LoadError as error:
        [problem] = error.problems
        if problem.id not in {"being-written", "changed"} or not problem.help:
            raise
        return "refused"


def write(folder: Path, which: str) -> None:
    write_estate(folder, texts_of(data(which)))


def child(act: Callable[[], object]) -> int:
    """Do something in another process; returns its id."""
    process = os.fork()
    if process == 0:
        try:
            act()
        finally:
            os._exit(0)
    return process


STEPS = ("open", "close", "write", "fsync", "replace", "unlink", "rmdir", "mkdir", "ftruncate")
KILLS, PAUSE = 40, 0.1
KILLED = 9


def die_after(steps: int, folder: Path) -> None:
    """Write the new estate, and die before a step."""
    left = steps

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **how: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(KILLED)
            return real(*given, **how)

        return run

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))
    write(folder, "new")


def at_every_step(folder: Path) -> list[str]:
    """Every step while files take their places, some of those before."""
    seen, steps = list[str](), 0
    while True:
        write(folder, "old")
        process = child(partial(die_after, steps, folder))
        ended = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        seen.append(or_refused(folder))
        if ended != KILLED:
            return seen
        steps += 1 if seen[-1] == "refused" else 5


def at_some_moments(folder: Path) -> list[str]:
    chance, seen = random.Random(0), []
    for _ in range(KILLS):
        process = child(lambda: forever(folder))
        time.sleep(chance.random() * PAUSE)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        seen.append(or_refused(folder))
    write(folder, "new")
    return [*seen, or_refused(folder)]


def forever(folder: Path) -> None:
    texts = [texts_of(data(which)) for which in ("new", "old")]
    while True:
        for one in texts:
            write_estate(folder, one)


WAYS = {"steps": at_every_step, "moments": at_some_moments, "forever": forever}

if __name__ == "__main__":
    sys.stdout.write(json.dumps(WAYS[sys.argv[1]](Path(sys.argv[2]))))
