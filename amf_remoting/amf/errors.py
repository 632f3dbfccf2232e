"""What can go wrong with AMF.

AMFError                 root: everything that input, or a value to send, can cause
├── DecodeError          the bytes are not AMF, or exceed a limit
└── EncodeError          the value has no AMF form, or exceeds a limit
"""


class AMFError(Exception):
    """Root of every error that bytes or values given to the codec can cause."""


class DecodeError(AMFError):
    """The bytes are not what the specification allows, or they exceed a limit."""

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message if offset is None else f"{message} (at byte {offset})")
        self.offset = offset
        """Where in the data the decoder stood, if known."""


class EncodeError(AMFError):
    """The value cannot be written as AMF, or writing it exceeds a limit."""
