"""Tests of the command line as a process, and of the pages in a real browser."""
