"""The command line: parse, call the library, print, return a code."""

from __future__ import annotations

import gc
import io
import os
import sys
from pathlib import Path

import click

from permcheck import __version__
from permcheck.cli.anonymise import anonymise
from permcheck.cli.ask import check, explain
from permcheck.cli.codes import Exit
from permcheck.cli.config import find_config
from permcheck.cli.diff import diff, what_if
from permcheck.cli.expected import test
from permcheck.cli.files import init, schema
from permcheck.cli.imports import import_
from permcheck.cli.lint import lint, rule, validate
from permcheck.cli.people import what_can, who_can
from permcheck.cli.reference import actions, show
from permcheck.cli.review import review
from permcheck.cli.terminal import tell
from permcheck.errors import (
    LiveError,
    LoadError,
    NothingSelectedError,
    PermcheckError,
    SelfCheckError,
    WriteError,
)

CODES: dict[type[PermcheckError], Exit] = {
    LiveError: Exit.UNUSABLE,
    NothingSelectedError: Exit.UNUSABLE,
    WriteError: Exit.UNUSABLE,
    SelfCheckError: Exit.CRASH,
}
"""Errors that are no mistake of the command line."""
INTERRUPTED = 130
READER_GONE = 141
"""What shells say of a process that a signal ended."""
COMMANDS = (
    check, explain, who_can, what_can, review, diff, what_if, import_, anonymise, validate, lint, rule, test, actions,
    show, schema, init,
)  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="permcheck %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Who may do what on Configuration Manager tenant-attached devices, and why.

    \b
    permcheck explain helpdesk@contoso.com run-cmpivot PC-0042 -e examples/contoso
    permcheck check   helpdesk@contoso.com run-cmpivot PC-0042 -e examples/contoso
    """  # noqa: D301 - click's own marker
    asks_for_help = not {"-h", "--help"}.isdisjoint(sys.argv)
    options = {} if asks_for_help else find_config(Path.cwd())
    context.default_map = {command.name or "": options for command in COMMANDS} | options


for _command in COMMANDS:
    main.add_command(_command)


def run() -> None:
    """Run the command line and exit. A fault of permcheck itself exits 70, never 1: 1 means denied.

    A command is over in a moment: collecting garbage in between, and taking the interpreter
    apart afterwards, would be a fifth of its time.
    """
    gc.disable()
    os._exit(_flushed(guarded()))


def _flushed(code: int) -> int:
    """Write out what is buffered. An answer that can't be written is no answer."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except BrokenPipeError:
            code = READER_GONE
        except (OSError, ValueError):
            code = Exit.CRASH
    return code


def guarded(arguments: list[str] | None = None) -> int:
    """Run a command and turn every error into a message and an exit code."""
    for stream in (sys.stdout, sys.stderr):  # a name that the terminal can't show must not cost the answer
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return int(main.main(arguments, prog_name="permcheck", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("aborted", err=True)
        return INTERRUPTED
    except LoadError as error:
        for problem in error.problems:
            tell(problem.severity, f"{problem.place}: {problem.message}", problem.help)
        return Exit.UNUSABLE
    except PermcheckError as error:
        tell("error", str(error), getattr(error, "help", ""))
        return next((code for kind, code in CODES.items() if isinstance(error, kind)), Exit.USAGE)
    except SystemExit as stop:  # how click ends a completion, or where the reader of a pipe went away
        return READER_GONE if stop.code else Exit.ALLOW
    except Exception as error:  # noqa: BLE001 - the guard: a traceback would exit 1, which means denied
        return _crashed(error)


def _crashed(error: Exception) -> int:
    if os.environ.get("PERMCHECK_DEBUG"):
        import traceback

        traceback.print_exception(error)
    help_ = "run again with PERMCHECK_DEBUG=1 and report what it prints"
    tell("internal error", f"{type(error).__name__}; no answer was given", help_)
    return Exit.CRASH
