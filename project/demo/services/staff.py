"""A service that only users may call."""

from amf_remoting.dispatch import Call
from amf_remoting.registry import remote_method, service


@service("staff", login_required=True)
class StaffService:
    """Refused to anonymous callers."""

    @remote_method(blocking=False)
    def whoami(self, call: Call) -> str:
        """The caller's user name."""
        return str(call.user.get_username())
