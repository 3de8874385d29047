"""Why to believe it. A package, so that an installed one of the same name cannot stand in for it."""
