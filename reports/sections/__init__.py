"""Sections of the page, one question a file."""
