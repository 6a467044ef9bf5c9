"""Many songs: a manifest to files, exactly once, on one machine or many."""
