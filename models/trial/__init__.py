"""What is in the file: the study file, readers of data files, and every check before a design is laid out."""
