"""Type markers of both versions (AMF 0 §2.1, AMF 3 §3.1): literals, which compiling inlines."""

from typing import Final

AMF0_NUMBER: Final = 0x00
AMF0_BOOLEAN: Final = 0x01
AMF0_STRING: Final = 0x02
AMF0_OBJECT: Final = 0x03
AMF0_MOVIECLIP: Final = 0x04
"""Reserved: its layout was never published, so it cannot even be skipped."""
AMF0_NULL: Final = 0x05
AMF0_UNDEFINED: Final = 0x06
AMF0_REFERENCE: Final = 0x07
AMF0_ECMA_ARRAY: Final = 0x08
AMF0_OBJECT_END: Final = 0x09
AMF0_STRICT_ARRAY: Final = 0x0A
AMF0_DATE: Final = 0x0B
AMF0_LONG_STRING: Final = 0x0C
AMF0_UNSUPPORTED: Final = 0x0D
AMF0_RECORDSET: Final = 0x0E
"""Reserved, like the movie clip."""
AMF0_XML_DOCUMENT: Final = 0x0F
AMF0_TYPED_OBJECT: Final = 0x10
AMF0_AVMPLUS: Final = 0x11
"""The next value is AMF3 ("avmplus-object-marker", §3.1)."""

AMF3_UNDEFINED: Final = 0x00
AMF3_NULL: Final = 0x01
AMF3_FALSE: Final = 0x02
AMF3_TRUE: Final = 0x03
AMF3_INTEGER: Final = 0x04
AMF3_DOUBLE: Final = 0x05
AMF3_STRING: Final = 0x06
AMF3_XML_DOCUMENT: Final = 0x07
AMF3_DATE: Final = 0x08
AMF3_ARRAY: Final = 0x09
AMF3_OBJECT: Final = 0x0A
AMF3_XML: Final = 0x0B
AMF3_BYTE_ARRAY: Final = 0x0C
AMF3_VECTOR_INT: Final = 0x0D
AMF3_VECTOR_UINT: Final = 0x0E
AMF3_VECTOR_DOUBLE: Final = 0x0F
AMF3_VECTOR_OBJECT: Final = 0x10
AMF3_DICTIONARY: Final = 0x11

INTEGER_MIN: Final = -0x10000000
INTEGER_MAX: Final = 0x0FFFFFFF
U29_MAX: Final = 0x1FFFFFFF
LENGTH_MAX: Final = 0x0FFFFFFF
"""Lengths and counts of AMF3 share their U29 with one flag bit."""
SAFE_INTEGER: Final = 0x20000000000000
"""2 ** 53: beyond it a double drops digits."""
AMF0_REFERENCES_MAX: Final = 0xFFFF
