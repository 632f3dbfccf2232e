"""Clients that nobody here wrote, run for real against the demo site."""
