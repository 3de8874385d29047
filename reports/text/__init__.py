"""What a page says: a saved run's facts as numbers, words and sentences."""
