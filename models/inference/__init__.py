"""From a model to posterior draws: sample it; and what a fit is."""
