"""Strings that are not UTF-8: old players wrote CESU-8, old servers latin-1."""

from amf_remoting.amf.errors import DecodeError


def repair(data: bytes) -> str:
    """The text in `data`, which is not valid UTF-8; never fails.

    Surrogate pairs written as two 3-byte sequences (CESU-8) become one character, lone surrogates
    U+FFFD (nothing behind the codec could store or print them). Anything else is latin-1.
    """
    try:
        text = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("latin-1")
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def refuse(data: bytes) -> str:
    """Policy "strict": raises DecodeError."""
    raise DecodeError(f"a string of {len(data)} bytes is not UTF-8")


def encode_repaired(text: str) -> bytes:
    """UTF-8 of a text with lone surrogates: pairs are joined, the rest becomes U+FFFD."""
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return joined.encode()
