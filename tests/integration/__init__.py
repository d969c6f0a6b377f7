"""Whole runs: refreshes, builds, definitions."""
