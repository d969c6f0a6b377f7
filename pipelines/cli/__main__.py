"""``python -m pipelines.cli`` runs the command line, as the script ``carec`` does."""

from pipelines.cli import main

main()
