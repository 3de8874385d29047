"""A whole job: from a study's path to a run folder, with its provenance."""
