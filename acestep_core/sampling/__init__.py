"""From noise to a latent: schedule, solvers, guidance, noise, and the one loop."""
