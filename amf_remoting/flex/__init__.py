"""Flex's own classes on the wire: collections and messages."""
