"""The tasks, each a Plan for the loop, and the parts that a mode chooses."""
