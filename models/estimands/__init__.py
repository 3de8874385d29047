"""What is asked of a posterior: expected outcomes in each world, contrasts, paths, and the evidence for each."""
