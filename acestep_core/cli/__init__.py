"""The command line: python -m acestep_core."""
