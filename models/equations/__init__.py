"""What is assumed: each model's mathematics from priors to predictor, likelihoods and mediators' distributions."""
