"""The command line ``carec``: one module per family of commands; ``app`` only wires them.

Belongs here: commands, options, exit codes and what a person reads. Does not belong here: the work itself, which is in
the modules that the commands call.
"""


def main() -> None:
    """Run the command line; the entry point of the script ``carec``."""
    try:
        from pipelines.cli.app import run

        run()
    except KeyboardInterrupt:  # while modules are imported
        import sys

        sys.stderr.write("carec: interrupted\n")
        sys.exit(130)
