"""Remote shared objects: one state, in one order, for everyone who uses it."""
