"""permcheck: who may do what on Configuration Manager tenant-attached devices, proved and sourced.

    import permcheck
    estate = permcheck.load("examples/contoso")
    decision = estate.check("helpdesk@contoso.com", "run-cmpivot", "PC-0042")

Names are imported when they are first used: importing permcheck costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from permcheck.api import Estate as Estate
    from permcheck.api import Request as Request
    from permcheck.api import load as load
    from permcheck.errors import AmbiguousNameError as AmbiguousNameError
    from permcheck.errors import LiveError as LiveError
    from permcheck.errors import LoadError as LoadError
    from permcheck.errors import NothingSelectedError as NothingSelectedError
    from permcheck.errors import PermcheckError as PermcheckError
    from permcheck.errors import PolicyError as PolicyError
    from permcheck.errors import Problem as Problem
    from permcheck.errors import QuestionError as QuestionError
    from permcheck.errors import SelfCheckError as SelfCheckError
    from permcheck.errors import UnknownNameError as UnknownNameError
    from permcheck.errors import WriteError as WriteError
    from permcheck.model import change as change
    from permcheck.model.decision import Decision as Decision
    from permcheck.model.decision import Fix as Fix
    from permcheck.model.decision import Proof as Proof
    from permcheck.model.decision import Requirement as Requirement
    from permcheck.model.state import State as State
    from permcheck.model.state import Verdict as Verdict
    from permcheck.review.diff import Difference as Difference
    from permcheck.review.review import Review as Review

__version__ = "0.1.0"

_HOMES = {
    "Estate": "permcheck.api",
    "Request": "permcheck.api",
    "load": "permcheck.api",
    "AmbiguousNameError": "permcheck.errors",
    "LiveError": "permcheck.errors",
    "LoadError": "permcheck.errors",
    "NothingSelectedError": "permcheck.errors",
    "SelfCheckError": "permcheck.errors",
    "WriteError": "permcheck.errors",
    "PermcheckError": "permcheck.errors",
    "PolicyError": "permcheck.errors",
    "Problem": "permcheck.errors",
    "QuestionError": "permcheck.errors",
    "UnknownNameError": "permcheck.errors",
    "change": "permcheck.model",
    "Decision": "permcheck.model.decision",
    "Fix": "permcheck.model.decision",
    "Proof": "permcheck.model.decision",
    "Requirement": "permcheck.model.decision",
    "Difference": "permcheck.review.diff",
    "Review": "permcheck.review.review",
    "State": "permcheck.model.state",
    "Verdict": "permcheck.model.state",
}

__all__ = sorted([*_HOMES, "__version__"])  # noqa: PLE0605 - a test compares it with the imports above


def __getattr__(name: str) -> object:
    """Import a public name when it is first used."""
    home = _HOMES.get(name)
    if home is None:
        message = f"module `permcheck` has no attribute `{name}`"
        raise AttributeError(message)
    from importlib import import_module

    if name == "change":
        return import_module("permcheck.model.change")
    return getattr(import_module(home), name)
