"""The command line ``carec``: one module per family of commands; ``app`` only wires them.

Belongs here: commands, options, exit codes and what a person reads. Does not belong here: the work itself, which is in
the modules that the commands call.
"""

import atexit
import gc


def collect_garbage_seldom() -> None:
    """Let Python look for garbage after 50,000 new objects instead of 700, and not when the process ends.

    Most commands end before that. dbt's project alone has ten times as many objects, and none of them is garbage: the
    search would take a tenth of a refresh, and another second at its end.
    """
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)


def main() -> None:
    """Run the command line; the entry point of the script ``carec``."""
    collect_garbage_seldom()
    try:
        from pipelines.cli.app import run

        run()
    except KeyboardInterrupt:  # while modules are imported
        import sys

        sys.stderr.write("carec: interrupted\n")
        sys.exit(130)
