"""Numbers that leave AMF3's 29 bits, and AMF0's only kind (AMF 0 §2.2)."""

from amf_remoting.amf.errors import EncodeError
from amf_remoting.amf.limits import Policy
from amf_remoting.amf.markers import SAFE_INTEGER


def large_integer(number: int, policy: Policy) -> float | str:
    """An integer as the double that holds it exactly; beyond 2 ** 53 as the policy says."""
    if -SAFE_INTEGER <= number <= SAFE_INTEGER:
        return float(number)
    if policy.large_integers == "text":
        return str(number)
    if policy.large_integers == "number":
        try:
            return float(number)
        except OverflowError:
            raise EncodeError("an integer beyond the range of a double") from None
    raise EncodeError("an integer beyond 2 ** 53 loses digits as a double (Policy.large_integers)")
