"""The study file (`study.toml`): its tables and keys, their rules, and faults in an author's words."""
