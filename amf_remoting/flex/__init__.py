"""Flex's own classes on the wire: collections and messages. Importing registers their aliases."""

import amf_remoting.amf  # noqa: F401 - first: it imports the collections itself
from amf_remoting.flex import collections, messages, small_messages

__all__ = ["collections", "messages", "small_messages"]
