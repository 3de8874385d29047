"""Numbers of the shipped simulated study, kept to notice when they move."""
