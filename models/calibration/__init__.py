"""Would the method find the truth? Thousands of simulated trials, analysed by the product's own code."""
