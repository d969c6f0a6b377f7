"""What runs, when, and in which order: refresh, Dagster, command line. Thin: it calls ``sources`` and ``warehouse``."""
