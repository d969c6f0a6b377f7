"""The command line as a process and the pages in a real browser."""
