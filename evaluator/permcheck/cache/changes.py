"""Which files show every change in their times. Of all others the contents are compared before each answer.

A system notes when a file changes, but not always at once, and not everywhere. A page of a file that is mapped into
memory gets a new time with its first change, and none with those that follow until it is on the disk; other kinds of
memory and networks note none, or one of another clock, or one of two seconds.
"""

from __future__ import annotations

import os
import sys
from typing import Final

SETTLED: Final = 2_000_000_000
"""Nanoseconds. Within so long after a change another one may get the same time: clocks of disks tick slowly."""
FILE_SYSTEMS: Final = frozenset({"ext3", "ext4", "xfs", "btrfs"})
"""Those of Linux that note each change of a file by the clock of this machine, that of a mapped page with its first."""
MOUNTS: Final = "/proc/self/mountinfo"


def are_settled(found: os.stat_result, now: int) -> bool:
    """Tell whether the times of a file lie so far back that a later change has others. Those to come never do."""
    return max(found.st_mtime_ns, found.st_ctime_ns) < now - SETTLED


def shows(path: str, known: dict[int, str], now: int) -> bool:
    """Tell whether every change of a file from now on will be seen in its times. `known` is from `file_systems`.

    To be asked before its contents are read: what somebody changed without a trace until now is among them.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        found = os.fstat(handle)
        return known.get(found.st_dev) in FILE_SYSTEMS and are_settled(found, now) and _nobody_writes(handle)
    finally:
        os.close(handle)


def file_systems() -> dict[int, str]:
    """Return the kind of file system of each device; nothing where the system does not tell."""
    found = {}
    try:
        with open(MOUNTS, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                left, _, right = line.partition(" - ")
                major, _, minor = left.split()[2].partition(":")
                found[os.makedev(int(major), int(minor))] = right.split()[0]
    except (OSError, ValueError, IndexError, AttributeError):
        return {}
    return found


def _nobody_writes(handle: int) -> bool:
    """Tell whether no process has a file open for writing, or mapped so: Linux leases it to readers only then."""
    if sys.platform != "linux":
        return False
    import fcntl
    from signal import SIGURG

    try:
        fcntl.fcntl(handle, fcntl.F_SETSIG, SIGURG)  # whoever opens it just now: SIGIO would end this process
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError:  # somebody does, the file is somebody else's, or there are no leases here
        return False
    return True
