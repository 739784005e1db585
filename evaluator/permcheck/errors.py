"""Everything that permcheck raises, and what a problem in a file looks like.

PermcheckError
├── LoadError         an input can't be used: carries every problem
│   └── PolicyError   the shipped policy is broken
├── UnknownNameError  a question names something that the estate or policy lacks
│   └── AmbiguousNameError
├── QuestionError     a question that can't be asked this way
├── NothingSelectedError  a selection that matches nothing: there is no answer to give
├── WriteError        a result can't be written
├── SelfCheckError    two ways to answer disagree: a fault of permcheck
└── LiveError         a live service can't be collected from
"""

from __future__ import annotations

from dataclasses import dataclass

from permcheck.printable import one_line


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with an input. Lines and columns count from 1; 0 means the whole file."""

    file: str
    line: int
    column: int
    id: str
    message: str
    help: str = ""
    severity: str = "error"

    @property
    def place(self) -> str:
        """The file, with line and column where they are known."""
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}"
        return f"{text}\n  help: {self.help}" if self.help else text


class PermcheckError(Exception):
    """Base of every error that permcheck raises."""


class LoadError(PermcheckError):
    """An input can't be used. `problems` holds every reason, sorted."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = tuple(sorted(problems))

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class PolicyError(LoadError):
    """The policy files are broken."""


class UnknownNameError(PermcheckError):
    """No `kind` is called `name`. `near` are names that look alike."""

    def __init__(self, kind: str, name: str, near: tuple[str, ...] = (), hint: str = "") -> None:
        super().__init__(kind, name, near, hint)
        self.kind, self.name, self.near, self.hint = kind, name, near, hint

    def __str__(self) -> str:
        return one_line(f"no {self.kind} is called `{self.name}`")

    @property
    def help(self) -> str:
        """What to do, one line; empty if nothing helps."""
        if self.hint:
            return self.hint
        return "did you mean " + " or ".join(f"`{n}`" for n in self.near) + "?" if self.near else ""


class AmbiguousNameError(UnknownNameError):
    """Several of a kind are called `name`; `near` lists them."""

    def __str__(self) -> str:
        return one_line(f"`{self.name}` names {len(self.near)} {self.kind}s")

    @property
    def help(self) -> str:
        """The candidates."""
        return "use one of " + ", ".join(f"`{n}`" for n in self.near)


class QuestionError(PermcheckError):
    """A question that can't be asked this way."""

    def __init__(self, message: str, help: str = "") -> None:  # noqa: A002 - the word that people see
        super().__init__(message, help)
        self.message, self.help = message, help

    def __str__(self) -> str:
        return one_line(self.message)


class NothingSelectedError(PermcheckError):
    """No `kind` is selected by `selector`."""

    def __init__(self, kind: str, selector: str) -> None:
        super().__init__(kind, selector)
        self.kind, self.selector = kind, selector

    def __str__(self) -> str:
        return one_line(f"no {self.kind} is selected by `{self.selector}`")

    @property
    def help(self) -> str:
        """What to do."""
        return "an answer about nobody is no answer: widen the selection"


class SelfCheckError(PermcheckError):
    """Of `asked` cells that were asked again, `wrong` gave another answer: a fault of permcheck itself."""

    def __init__(self, asked: int, wrong: tuple[str, ...]) -> None:
        super().__init__(asked, wrong)
        self.asked, self.wrong = asked, wrong

    def __str__(self) -> str:
        return one_line(f"{len(self.wrong)} of {self.asked} cells differ when they are asked alone: {self.wrong[0]}")

    @property
    def help(self) -> str:
        """What to do."""
        return "trust none of the answers, and report this"


class LiveError(PermcheckError):
    """A collection from a live service can't be made, or not finished."""

    def __init__(self, message: str, help: str = "") -> None:  # noqa: A002 - the word that people see
        super().__init__(message, help)
        self.message, self.help = message, help

    def __str__(self) -> str:
        return one_line(self.message)


class WriteError(PermcheckError):
    """The file `path` can't be written. `reason` says why, `help` what to do."""

    def __init__(self, path: str, reason: str, help: str = "") -> None:  # noqa: A002 - the word that people see
        super().__init__(path, reason, help)
        self.path, self.reason, self.help = path, reason, help

    def __str__(self) -> str:
        return one_line(f"can't write {self.path}: {self.reason}")
