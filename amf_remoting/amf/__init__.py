"""AMF0 and AMF3, both directions.

    from amf_remoting import amf

    amf.dumps({"name": "Zoë"})          # AMF3; version=0 for AMF0
    amf.loads(data, version=0)

None, bool, int, float, str, list, dict (an anonymous object), bytes (a ByteArray) and aware UTC
datetimes (a Date) stand for themselves; the classes here for the rest.
"""

from amf_remoting.amf.adapters import register_adapter
from amf_remoting.amf.aliases import alias, registry
from amf_remoting.amf.codec import (
    COMPILED,
    Decoder,
    Encoder,
    dumps,
    dumps_many,
    loads,
    loads_many,
)
from amf_remoting.amf.errors import AMFError, DecodeError, EncodeError
from amf_remoting.amf.externalizable import DataInput, DataOutput
from amf_remoting.amf.limits import Limits, Policy
from amf_remoting.amf.step import Step
from amf_remoting.amf.traits import Traits
from amf_remoting.amf.values import (
    XML,
    Date,
    Dictionary,
    MixedArray,
    TypedObject,
    Undefined,
    UndefinedType,
    XMLDocument,
)
from amf_remoting.amf.vectors import DoubleVector, IntVector, ObjectVector, UIntVector
from amf_remoting.amf.walk import walk
from amf_remoting.flex.collections import (
    ArrayCollection,
    ArrayList,
    ManagedObjectProxy,
    ObjectProxy,
)

__all__ = [
    "COMPILED",
    "XML",
    "AMFError",
    "ArrayCollection",
    "ArrayList",
    "DataInput",
    "DataOutput",
    "Date",
    "DecodeError",
    "Decoder",
    "Dictionary",
    "DoubleVector",
    "EncodeError",
    "Encoder",
    "IntVector",
    "Limits",
    "ManagedObjectProxy",
    "MixedArray",
    "ObjectProxy",
    "ObjectVector",
    "Policy",
    "Step",
    "Traits",
    "TypedObject",
    "UIntVector",
    "Undefined",
    "UndefinedType",
    "XMLDocument",
    "alias",
    "dumps",
    "dumps_many",
    "loads",
    "loads_many",
    "register_adapter",
    "registry",
    "walk",
]
