"""Wires the commands of ``carec`` and turns errors into messages and exit codes.

Belongs here: which module has which command, and the exit codes. Does not belong here: the commands; the module of a
command is imported when the command runs.

Exit codes: 0 done; 1 not published, or nothing published to read; 2 usage or configuration.
"""

from __future__ import annotations

import ast
import errno
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click

from pipelines.cli.tables import console, replace_unencodable

COMMANDS = (
    "refresh",
    "scorecard",
    "score",
    "what-if",
    "explain",
    "compare",
    "indicators",
    "sources",
    "local",
    "claims",
    "recommendations",
    "query",
    "queries",
    "dictionary",
    "export",
    "diff",
    "publications",
    "report",
    "briefs",
    "ui",
    "mcp",
    "doctor",
    "lake",
    "replay",
    "raw",
    "archive",
    "benchmarks",
)
"""The commands in the order of the help. Each is the function of its name in the module of its name."""

DISK_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
"""Errors that an operator repairs: a full disk, a quota, a read-only disk, missing rights."""


DAMAGED = {"IOException", "FatalException", "InternalException", "SerializationException", "ComputeError"}
"""Errors of DuckDB and polars for files that they cannot read, by name: no command imports both only to name them."""


class LazyCommands(click.Group):
    """A group that imports the module of a command when the command is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, or None if no command has this name."""
        if cmd_name not in COMMANDS:
            # click suggests the nearest name among the commands that it knows
            self.commands = {name: self._command(name) for name in COMMANDS}
            return None
        return self._command(cmd_name)

    def _command(self, name: str) -> click.Command:
        command: click.Command = getattr(import_module(f"pipelines.cli.{_module(name)}"), _module(name))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one line per command, read from the source files: the help imports no command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _summary(name)) for name in COMMANDS])


def _module(command_name: str) -> str:
    return command_name.replace("-", "_")


def _summary(command_name: str) -> str:
    """Return the first line of the docstring of a command or group."""
    tree = ast.parse(Path(__file__).with_name(f"{_module(command_name)}.py").read_text(encoding="utf-8"))
    command = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list)
    return (ast.get_docstring(command) or "").partition("\n")[0]


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"carec {version('carec-digital-scorecard')}")
        ctx.exit()


@click.group(cls=LazyCommands, no_args_is_help=True, context_settings={"show_default": True})
@click.option(
    "--version", is_flag=True, callback=_print_version, expose_value=False, is_eager=True, help="Print the version."
)
def carec() -> None:
    """How far each CAREC member has come towards the CAREC Digital Strategy 2030, from public data."""


def run() -> None:
    """Run a command. Print every error that a user can correct on standard error, with an exit code.

    The message is one line. Errors of usage have the usage before it, errors of SQL the place in the query after it.
    """
    from sources.errors import ConfigurationError
    from warehouse.errors import NotPublished, Unreadable
    from warehouse.files import Busy
    from warehouse.lake.errors import LakeError

    replace_unencodable()
    try:
        sys.exit(carec(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ConfigurationError as error:
        _fail(str(error), 2)
    except Busy as error:
        _fail(f"another refresh of this warehouse is running ({error}); wait for it, then try again", 1)
    except NotPublished as error:
        _fail(f"not published: {error}", 1)
    except (Unreadable, LakeError) as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        _fail("interrupted; the previous publication is untouched", 130)
    except Exception as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # DuckDB's form of Ctrl-C
            _fail("interrupted; the previous publication is untouched", 130)
        # each library has its own type for a full disk, but all contain the message of the system
        if getattr(error, "errno", None) in DISK_FAULTS or os.strerror(errno.ENOSPC) in str(error):
            _fail(f"{error}; the previous publication is untouched. `carec doctor` names the cause", 1)
        if type(error).__name__ in DAMAGED:
            first = str(error).strip().partition("\n")[0]
            _fail(
                f"a file of the warehouse cannot be read: {first}; `carec doctor` names damaged files and remedies", 1
            )
        # not from the operating system: an error of this program
        if not isinstance(error, OSError) or error.strerror is None:
            raise
        _fail(": ".join(str(part) for part in (error.filename, error.strerror) if part is not None), 1)


def _fail(message: str, code: int) -> NoReturn:
    from sources.errors import printable

    console(stderr=True).print(f"carec: {printable(message, lines=True)}", soft_wrap=True)
    sys.exit(code)
