"""From a model to posterior draws: compile it and sample."""
