"""A service that tells what arrived, for clients that cannot say it of themselves."""

from amf_remoting import amf
from amf_remoting.call import Call
from amf_remoting.dump import value_lines
from amf_remoting.registry import remote_method


class ProbeService:
    """Everything as text, so that no second conversion hides what the first one did."""

    @remote_method(blocking=False)
    def kinds(self, *values: object) -> list[str]:
        """Each value as amf_dump shows it."""
        return [" ".join(line.strip() for line in value_lines(value)) for value in values]

    @remote_method(blocking=False)
    def headers(self, call: Call) -> dict[str, object]:
        """The packet's headers, and how many messages it holds."""
        shown = {name: value for name, value in call.headers.items() if name != "Credentials"}
        return {**shown, "names": sorted(call.headers)}

    @remote_method(blocking=False)
    def numbers(self) -> object:
        """A Vector.<int>, which AMF0 has no form for."""
        return amf.IntVector([1, -2])
