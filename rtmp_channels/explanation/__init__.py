"""A recorded conversation explained byte by byte: handshake, chunks, messages, commands, values.

Sans I/O, for people. What one side sent, from C0 or S0 on, becomes parts that cover it without gap
or overlap; what is cut short or broken is explained as far as it can be understood.
"""

from rtmp_channels.explanation.conversation import explain
from rtmp_channels.explanation.part import Part

__all__ = ["Part", "explain"]
