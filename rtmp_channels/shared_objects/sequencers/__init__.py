"""Sequencers: who decides on the order of an object's events."""
