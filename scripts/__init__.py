"""Programs around the pack: run a graph without a page, make the pictures of readme and help."""
