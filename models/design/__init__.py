"""What a model sees of a trial: indices, covariates, mediators, and distinct outcome histories."""
