"""Pure functions, in seconds."""
