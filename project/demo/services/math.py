"""Sums. A module as a service: its functions named remote are the methods."""

from amf_remoting.exceptions import Fault, FaultCode
from amf_remoting.registry import remote_method


@remote_method(blocking=False)
def add(a: float, b: float) -> float:
    """a + b, of numbers."""
    for value in (a, b):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Fault(FaultCode.BAD_ARGUMENTS, "math.add expects two numbers")
    return a + b
