"""Rooms: everyone in one hears what is broadcast to it, in every process."""
