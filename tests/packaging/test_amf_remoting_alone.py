"""amf_remoting without channels, daphne and twisted, under WSGI; and the same compiled."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.process import REPOSITORY

from .environments import Environment, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SITE = """
import io, json, sys

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

from amf_remoting.registry import remote_method


@remote_method
def add(a, b):
    return a + b


urlpatterns = [path("gateway/", include("amf_remoting.urls"))]
settings.configure(
    ALLOWED_HOSTS=["*"],
    AMF_REMOTING={"SERVICES": {"math.add": add}, "POLICY_FROM_DATABASE": False},
    INSTALLED_APPS=["amf_remoting"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="tests only",
)
application = get_wsgi_application()

from amf_remoting import amf
from amf_remoting.packet import Message, Packet, parse

body = Packet(0, [], [Message("math.add", "/1", [2, 3], encoding=0)]).serialize()
statuses = []
response = application(
    {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/gateway/",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": "application/x-amf",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
    },
    lambda status, headers: statuses.append(status),
)
(answer,) = parse(b"".join(response)).messages
clients = {}
for language in ("haxe", "typescript"):
    client = io.StringIO()
    call_command("amf_client", language=language, stdout=client)
    clients[language] = len(client.getvalue().splitlines())
print(json.dumps({
    "status": statuses,
    "target": answer.target_uri,
    "value": answer.value,
    "clients": clients,
    "compiled": amf.COMPILED,
    "file": amf.__file__,
    "modules": sorted({name.partition(".")[0] for name in sys.modules}),
}))
"""


def answer(environment: Environment, folder: Path) -> dict[str, Any]:
    """Runs SITE in the environment, from a folder outside of the repository."""
    (folder / "wsgi_site.py").write_text(SITE)
    output = run(environment.python, "wsgi_site.py", cwd=folder)
    return dict(json.loads(output.splitlines()[-1]))


def test_pure_wheel_under_wsgi(tmp_path: Path, environment: Environment, pure_wheel: Path) -> None:
    environment.link("django", "Django", "asgiref", "sqlparse")
    environment.install(pure_wheel)
    result = answer(environment, tmp_path)
    assert result["status"] == ["200 OK"]
    assert (result["target"], result["value"]) == ("/1/onResult", 5)
    assert min(dict(result["clients"]).values()) > 50, "with what is no Python in the wheel"
    assert result["compiled"] is False
    assert Path(str(result["file"])).is_relative_to(environment.packages)
    assert {"channels", "daphne", "twisted", "rtmp_channels"}.isdisjoint(result["modules"])


def test_compiled_wheel_under_wsgi(
    tmp_path: Path, environment: Environment, compiled_wheel: Path
) -> None:
    assert not compiled_wheel.name.endswith("-none-any.whl")
    environment.link("django", "Django", "asgiref", "sqlparse", "librt")
    environment.install(compiled_wheel)
    result = answer(environment, tmp_path)
    assert (result["target"], result["value"]) == ("/1/onResult", 5)
    assert result["compiled"] is True
    assert {"channels", "daphne", "twisted"}.isdisjoint(result["modules"])


def test_nothing_was_built_into_the_tree() -> None:
    for package in ("amf_remoting", "rtmp_channels"):
        assert [*(REPOSITORY / package).rglob("*.so"), *(REPOSITORY / package).rglob("*.c")] == []
