"""Exit codes of every command."""

from enum import IntEnum


class Exit(IntEnum):
    """What the process tells its caller."""

    ALLOW = 0
    """Allowed, clean, done."""
    DENY = 1
    """Denied, or findings."""
    USAGE = 2
    """The command line is wrong, or names something that is not there."""
    UNUSABLE = 3
    """An input can't be used: no answer was given."""
    UNDETERMINED = 4
    """The estate lacks facts."""
    CRASH = 70
    """A fault of permcheck itself."""
