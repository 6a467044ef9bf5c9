"""The networks as drawings: layers and forward, nothing of tasks, files or devices."""
