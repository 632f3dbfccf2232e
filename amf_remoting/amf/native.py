"""Machine integers and buffers: librt's in compiled modules, plain Python's elsewhere.

The compiler resolves these names when it translates, so it sees librt; the interpreter executes
the other branch. This module itself is never compiled.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from librt.strings import BytesWriter, read_f64_be, read_i64_be, write_f64_be
    from mypy_extensions import i64
else:
    from amf_remoting.amf.stand_ins import BytesWriter, i64, read_f64_be, read_i64_be, write_f64_be

__all__ = ["BytesWriter", "i64", "read_f64_be", "read_i64_be", "write_f64_be"]
