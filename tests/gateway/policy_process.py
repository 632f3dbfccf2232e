"""A process of a site: obeys lines on stdin ("call", "off", "on"), answers each with a line.

For its policy, time stands still until a line says "a second passes".
"""

import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.gateway.policy_settings"
django.setup()

now = [0.0]


def obey(line: str) -> str:
    from amf_remoting.dispatch import Call, dispatch
    from amf_remoting.exceptions import Fault
    from amf_remoting.models import ServicePolicy

    if line == "a second passes":
        now[0] += 1.0
        return "passed"
    if line == "call":
        try:
            return str(dispatch(Call("math.add", [1, 2])))
        except Fault as fault:
            return fault.code
    ServicePolicy.objects.update_or_create(service="math", defaults={"enabled": line == "on"})
    return "saved"


if __name__ == "__main__":
    from amf_remoting.policy import policy

    policy.clock = lambda: now[0]
    for line in sys.stdin:
        print(obey(line.strip()), flush=True)
