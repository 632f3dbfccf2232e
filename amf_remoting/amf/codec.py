"""The codec's front door: whole values to bytes and back, and the incremental pair."""

from collections.abc import Iterable
from typing import Any, Literal

from amf_remoting.amf import amf3_decoder, text
from amf_remoting.amf.amf0_decoder import Amf0Decoder
from amf_remoting.amf.amf0_encoder import Amf0Encoder
from amf_remoting.amf.amf3_decoder import Amf3Decoder
from amf_remoting.amf.amf3_encoder import Amf3Encoder
from amf_remoting.amf.errors import DecodeError, EncodeError
from amf_remoting.amf.limits import DEFAULT_LIMITS, DEFAULT_POLICY, Limits, Policy
from amf_remoting.amf.native import BytesWriter
from amf_remoting.amf.reader import Reader
from amf_remoting.amf.values import Undefined

COMPILED = not (amf3_decoder.__file__ or "").endswith(".py")
"""Whether the codec runs as machine code."""

Buffer = bytes | bytearray | memoryview

_TRIVIAL = (str, float, int, type(None), type(Undefined))


def _check_version(version: int) -> None:
    if version not in (0, 3):
        raise ValueError(f"AMF has versions 0 and 3, not {version!r}")


def _decoder(
    data: bytes, version: int, limits: Limits, policy: Policy | None
) -> Amf0Decoder | Amf3Decoder:
    """Raises DecodeError for too much data."""
    if len(data) > limits.input_bytes:
        raise DecodeError(f"{len(data)} bytes, more than {limits.input_bytes}")
    repair = text.repair if policy is None or policy.strings == "repair" else text.refuse
    if version == 3:
        return Amf3Decoder(data, limits, repair)
    _check_version(version)
    return Amf0Decoder(data, limits, repair)


def _decode(decoder: Amf0Decoder | Amf3Decoder) -> object:
    """The next value; what goes wrong is a DecodeError."""
    try:
        return decoder.decode()
    except IndexError:
        raise DecodeError("the data ends inside a value", decoder.end) from None
    except RecursionError:
        raise DecodeError("nested deeper than the stack", decoder.position) from None


class Decoder:
    """Reads values one by one from `data`, with shared tables until `reset`.

    Every error that `data` can cause is a DecodeError; after one, only `reset` and a new
    `position` make the decoder usable again.
    """

    def __init__(
        self,
        data: Buffer,
        version: int = 0,
        *,
        position: int = 0,
        limits: Limits | None = None,
        policy: Policy | None = None,
    ) -> None:
        self._limits = limits or DEFAULT_LIMITS
        self.data = data if type(data) is bytes else bytes(data)
        self._decoder = _decoder(self.data, version, self._limits, policy)
        self.position = position

    @property
    def position(self) -> int:
        """Where the next value begins."""
        # Compiled, a member of one class is read in place, and that of a union by its name.
        reader: Reader = self._decoder
        return reader.position

    @position.setter
    def position(self, position: int) -> None:
        reader: Reader = self._decoder
        reader.position = position

    @property
    def avmplus_seen(self) -> bool:
        """Whether a value of AMF3 came inside AMF0 since the last `reset`."""
        return isinstance(self._decoder, Amf0Decoder) and self._decoder.avmplus_seen

    @property
    def at_end(self) -> bool:
        return self.position >= len(self.data)

    def use_fresh_avmplus_tables(self) -> None:
        """From now on each AMF3 value inside AMF0 has tables of its own (RTMP type 17)."""
        if isinstance(self._decoder, Amf0Decoder):
            self._decoder.avmplus_fresh = True

    def reset(self) -> None:
        """Empty the tables; the budget of values goes on."""
        reader: Reader = self._decoder
        reader.depth = self._limits.depth
        self._decoder.reset()

    def decode(self) -> Any:
        """The next value."""
        return _decode(self._decoder)

    def decode_arguments(self) -> Any:
        """The body of a call in AMF0, see Amf0Decoder.decode_arguments."""
        if isinstance(self._decoder, Amf3Decoder):
            return self.decode()
        try:
            return self._decoder.decode_arguments()
        except IndexError:
            raise DecodeError("the data ends inside a value", len(self.data)) from None
        except RecursionError:
            raise DecodeError("nested deeper than the stack", self.position) from None


class Encoder:
    """Writes values one by one, with shared tables until `reset`. Errors are EncodeErrors."""

    def __init__(
        self, version: int = 0, *, limits: Limits | None = None, policy: Policy | None = None
    ) -> None:
        _check_version(version)
        limits = limits or DEFAULT_LIMITS
        self._out = BytesWriter()
        self._encoder: Amf0Encoder | Amf3Encoder
        if version == 0:
            self._encoder = Amf0Encoder(self._out, limits, policy or DEFAULT_POLICY)
        else:
            self._encoder = Amf3Encoder(self._out, limits, policy or DEFAULT_POLICY)

    def encode(self, value: object) -> None:
        try:
            self._encoder.encode(value)
        except RecursionError:
            raise EncodeError("nested deeper than the stack") from None

    def encode_avmplus(self, value: object) -> None:
        """The value in AMF3: behind the marker 0x11, if this encoder writes AMF0."""
        if isinstance(self._encoder, Amf3Encoder):
            self.encode(value)
            return
        try:
            self._encoder.encode_avmplus(value)
        except RecursionError:
            raise EncodeError("nested deeper than the stack") from None

    def write_avmplus_in_full(self) -> None:
        """Empty the tables, and give later AMF3 values no references, not even within themselves.

        Writing what contains itself is an EncodeError then.
        """
        self._encoder.reset()
        if isinstance(self._encoder, Amf0Encoder):
            self._encoder.avmplus_in_full = True

    def reset(self) -> None:
        """Empty the tables; the output and its budget go on."""
        self._encoder.reset()

    def getvalue(self) -> bytes:
        """Everything written so far."""
        return self._out.getvalue()


def dumps(
    value: object,
    version: int = 3,
    *,
    limits: Limits | None = None,
    policy: Policy | None = None,
) -> bytes:
    """One value as AMF of `version` (0 or 3). Raises EncodeError."""
    encoder = Encoder(version, limits=limits, policy=policy)
    encoder.encode(value)
    return encoder.getvalue()


def loads(
    data: Buffer,
    version: int = 3,
    *,
    limits: Limits | None = None,
    policy: Policy | None = None,
) -> Any:
    """The one value in `data`. Raises DecodeError, for bytes behind the value too."""
    data = data if type(data) is bytes else bytes(data)
    decoder = _decoder(data, version, limits or DEFAULT_LIMITS, policy)
    value = _decode(decoder)
    if decoder.position < decoder.end:
        raise DecodeError("bytes behind the value", decoder.position)
    return value


def dumps_many(
    values: Iterable[object],
    version: int = 0,
    *,
    avmplus: bool = False,
    limits: Limits | None = None,
    policy: Policy | None = None,
) -> bytes:
    """Values one behind the other, with one set of tables: the body of an RTMP command.

    `avmplus` is for RTMP's type 17: AMF0, in which all but text, numbers, booleans and null go
    out as AMF3 behind 0x11. Only the first of those has references: readers disagree whether the
    tables are fresh for each, and a second one's would mean something else to half of them.
    """
    encoder = Encoder(version, limits=limits, policy=policy)
    for value in values:
        if avmplus and not isinstance(value, _TRIVIAL):
            encoder.encode_avmplus(value)
            encoder.write_avmplus_in_full()
        else:
            encoder.encode(value)
    return encoder.getvalue()


def loads_many(
    data: Buffer,
    version: int = 0,
    *,
    avmplus_tables: Literal["shared", "fresh"] = "shared",
    limits: Limits | None = None,
    policy: Policy | None = None,
) -> list[Any]:
    """All values in `data`, with one set of tables. Raises DecodeError.

    `avmplus_tables` says whether AMF3 values inside AMF0 share theirs; "fresh" is for RTMP's
    type 17.
    """
    decoder = Decoder(data, version, limits=limits, policy=policy)
    if avmplus_tables == "fresh":
        decoder.use_fresh_avmplus_tables()
    values = []
    while not decoder.at_end:
        values.append(decoder.decode())
    return values
