"""Member names: text only, on both sides of the wire."""

from amf_remoting.amf.errors import EncodeError


def member_name(name: object) -> str:
    """The text under which a dict's key is sent as a member; only integers have one."""
    if isinstance(name, int) and not isinstance(name, bool):
        return str(int(name))
    raise EncodeError(f"a member name must be text, not {type(name).__name__}: use Dictionary")
