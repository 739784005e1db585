"""The command line: parse, call the library, print, return a code."""

from __future__ import annotations

import gc
import io
import os
import sys
from importlib import import_module
from typing import Final

import click

from permcheck import __version__
from permcheck.cli.codes import Exit
from permcheck.cli.config import find_config
from permcheck.cli.terminal import tell

COMMANDS: Final = {
    "check": "ask",
    "explain": "ask",
    "who-can": "people",
    "what-can": "people",
    "review": "review",
    "diff": "diff",
    "what-if": "diff",
    "import": "imports:import_",
    "anonymise": "anonymise",
    "validate": "lint",
    "lint": "lint",
    "rule": "lint",
    "test": "expected",
    "actions": "reference",
    "show": "reference",
    "schema": "files",
    "init": "files",
}
"""Every command, and its module. One that is not asked for is not imported."""
INTERRUPTED = 130
READER_GONE = 141
"""What shells say of a process that a signal ended."""


class Commands(click.Group):
    """The commands, each imported when it is asked for."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """Return a command; None if there is none of that name."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        found: click.Command = getattr(import_module(f"permcheck.cli.{module}"), attribute or name.replace("-", "_"))
        return found

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; of an unknown one, say which was meant."""
        try:
            return super().resolve_command(context, args)
        except click.exceptions.NoSuchCommand:
            raise click.exceptions.NoSuchCommand(args[0], possibilities=COMMANDS, ctx=context) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="permcheck %(version)s")
@click.pass_context
def main(context: click.Context) -> None:
    """Who may do what on Configuration Manager tenant-attached devices, and why.

    \b
    permcheck explain helpdesk@contoso.com run-cmpivot PC-0042 -e examples/contoso
    permcheck check   helpdesk@contoso.com run-cmpivot PC-0042 -e examples/contoso
    """  # noqa: D301 - click's own marker
    asks_for_help = not {"-h", "--help"}.isdisjoint(sys.argv)
    options = {} if asks_for_help else find_config(os.getcwd())
    context.default_map = dict.fromkeys(COMMANDS, options) | options


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
    except SystemExit as stop:  # how click ends a completion, or where the reader of a pipe went away
        return READER_GONE if stop.code else Exit.ALLOW
    except Exception as error:  # noqa: BLE001 - the guard: a traceback would exit 1, which means denied
        return _told(error)


def _told(error: Exception) -> int:
    """Print what went wrong and how to get on."""
    from permcheck import errors  # only a mistake pays for it

    if not isinstance(error, errors.PermcheckError):
        return _crashed(error)
    if isinstance(error, errors.LoadError):
        for problem in error.problems:
            tell(problem.severity, f"{problem.place}: {problem.message}", problem.help)
        return Exit.UNUSABLE
    tell("error", str(error), getattr(error, "help", ""))
    if isinstance(error, errors.LiveError | errors.NothingSelectedError | errors.WriteError):
        return Exit.UNUSABLE
    return Exit.CRASH if isinstance(error, errors.SelfCheckError) else Exit.USAGE


def _crashed(error: Exception) -> int:
    if os.environ.get("PERMCHECK_DEBUG"):
        import traceback

        traceback.print_exception(error)
    help_ = "run again with PERMCHECK_DEBUG=1 and report what it prints"
    tell("internal error", f"{type(error).__name__}; no answer was given", help_)
    return Exit.CRASH
