"""From files to networks: checkpoints, key maps, adapters, downloads."""
