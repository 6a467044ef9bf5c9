"""Pictures of sound and of lyrics."""
