"""Flex's own classes on the wire: collections and messages. Importing registers their aliases."""

from amf_remoting.flex import collections, messages, small_messages

__all__ = ["collections", "messages", "small_messages"]
