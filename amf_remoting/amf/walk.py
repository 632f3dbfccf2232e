"""AMF explained byte by byte, for people: steps that cover a value without gap or overlap.

Nothing is constructed, so classes that nobody registered can be looked at as well, and what is
broken is explained as far as it can be understood.
"""

from collections.abc import Iterator

from amf_remoting.amf.amf0_walker import Amf0Walker
from amf_remoting.amf.amf3_walker import Amf3Walker
from amf_remoting.amf.cursor import Cursor
from amf_remoting.amf.errors import DecodeError
from amf_remoting.amf.limits import DEFAULT_LIMITS, Limits
from amf_remoting.amf.step import Path, Step


def walk(
    data: bytes,
    version: int = 3,
    *,
    position: int = 0,
    path: Path = (),
    limits: Limits | None = None,
) -> Iterator[Step]:
    """The steps of the one value at ``position``; the last one's end is where the next begins.

    What was understood is yielded first; then comes the DecodeError.
    """
    if version not in (0, 3):
        raise ValueError(f"AMF has versions 0 and 3, not {version!r}")
    limits = limits or DEFAULT_LIMITS
    if len(data) > limits.input_bytes:
        raise DecodeError(f"{len(data)} bytes, more than {limits.input_bytes}")
    cursor = Cursor(data, position)
    walker = Amf0Walker(cursor, limits.depth) if version == 0 else Amf3Walker(cursor, limits.depth)
    try:
        for count, step in enumerate(walker.value(path), 1):
            if count > limits.values:
                raise cursor.error("more values than the limit")
            yield step
    except RecursionError:
        raise cursor.error("nested deeper than the stack") from None
