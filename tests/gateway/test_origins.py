"""CORS, crossdomain.xml and the same-origin proof: closed until settings open them."""

from typing import Any
from xml.etree import ElementTree

import pytest

from amf_remoting.packet import Message, Packet

from .conftest import Post

CALL = Packet(0, [], [Message("math.add", "/1", [1, 2])])
FOREIGN = "https://games.example"
COOKIE = {"Cookie": "sessionid=abc"}


def opened(settings: Any, **keys: Any) -> None:
    settings.AMF_REMOTING = {**settings.AMF_REMOTING, **keys}


def test_foreign_pages_cannot_read_answers_by_default(post: Post) -> None:
    response = post(CALL, headers={"Origin": FOREIGN})
    assert response.status_code == 200
    assert "Access-Control-Allow-Origin" not in response
    assert "Vary" not in response or "Origin" not in response["Vary"]


def test_allowed_pages_can(post: Post, exposed: Any) -> None:
    opened(exposed, ALLOWED_ORIGINS=[FOREIGN])
    response = post(CALL, headers={"Origin": FOREIGN})
    assert response["Access-Control-Allow-Origin"] == FOREIGN
    assert "Access-Control-Allow-Credentials" not in response
    assert "Origin" in response["Vary"]
    assert "Access-Control-Allow-Origin" not in post(
        CALL, headers={"Origin": "https://evil.example"}
    )
    assert "Access-Control-Allow-Origin" not in post(CALL, headers={"Origin": "null"})


def test_refusals_can_be_read_too(post: Post, exposed: Any) -> None:
    opened(exposed, ALLOWED_ORIGINS=["*"])
    response = post(b"garbage", headers={"Origin": FOREIGN})
    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (400, FOREIGN)


@pytest.mark.fact(29)
@pytest.mark.parametrize(("allowed", "status"), [((), 403), ((FOREIGN,), 204), (("*",), 204)])
def test_preflight(post: Post, exposed: Any, allowed: Any, status: int) -> None:
    opened(exposed, ALLOWED_ORIGINS=allowed)
    headers = {
        "Origin": FOREIGN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    response = post(b"", method="options", headers=headers)
    assert response.status_code == status
    if status == 403:
        assert "Access-Control-Allow-Origin" not in response
        return
    assert response["Access-Control-Allow-Origin"] == FOREIGN
    assert response["Access-Control-Allow-Methods"] == "POST"
    assert response["Access-Control-Allow-Headers"] == "Content-Type"
    assert response["Access-Control-Max-Age"] == "600"


def test_options_without_an_origin(post: Post) -> None:
    response = post(b"", method="options")
    assert (response.status_code, response["Allow"]) == (204, "GET, OPTIONS, POST")


@pytest.mark.parametrize(
    ("headers", "keys", "status"),
    [
        (COOKIE, {}, 200),
        ({**COOKIE, "Origin": "http://testserver"}, {}, 200),
        ({**COOKIE, "Origin": FOREIGN}, {}, 403),
        ({**COOKIE, "Origin": "null"}, {}, 403),
        ({"Authorization": "Basic eA==", "Origin": FOREIGN}, {}, 403),
        ({"Cookie": "other=1", "Origin": FOREIGN}, {}, 200),
        ({**COOKIE, "Referer": f"{FOREIGN}/page?a=1"}, {}, 403),
        ({**COOKIE, "Referer": "http://[broken"}, {}, 403),
        ({**COOKIE, "Referer": "http://testserver/page"}, {}, 200),
        ({**COOKIE, "Referer": f"{FOREIGN}/page", "Origin": "http://testserver"}, {}, 200),
        ({"Referer": f"{FOREIGN}/page"}, {}, 200),
        ({**COOKIE, "Origin": FOREIGN}, {"ALLOWED_ORIGINS": [FOREIGN]}, 403),
        ({**COOKIE, "Origin": FOREIGN}, {"ALLOW_CREDENTIALS": True}, 403),
        ({**COOKIE, "Origin": FOREIGN}, {"ALLOWED_ORIGINS": ["*"], "ALLOW_CREDENTIALS": True}, 403),
        ({**COOKIE, "Origin": FOREIGN},
         {"ALLOWED_ORIGINS": [FOREIGN], "ALLOW_CREDENTIALS": True}, 200),
    ],
    ids=["no origin", "same", "foreign", "sandboxed", "basic", "no session",
         "foreign referer", "broken referer", "same referer", "origin before referer",
         "referer without session", "allowed only", "credentials only",
         "any with credentials", "allowed with credentials"],
)  # fmt: skip
def test_a_session_needs_a_same_origin_proof(
    post: Post, exposed: Any, headers: Any, keys: Any, status: int
) -> None:
    exposed.MIDDLEWARE = []
    opened(exposed, **keys)
    response = post(CALL, headers=headers)
    assert response.status_code == status
    if keys.get("ALLOW_CREDENTIALS") and status == 200:
        assert response["Access-Control-Allow-Credentials"] == "true"


def test_trusted_origins_of_django_are_this_sites_own(post: Post, exposed: Any) -> None:
    exposed.MIDDLEWARE = []
    exposed.CSRF_TRUSTED_ORIGINS = [FOREIGN]
    assert post(CALL, headers={**COOKIE, "Origin": FOREIGN}).status_code == 200


@pytest.mark.fact(29)
def test_crossdomain_is_closed_by_default(client: Any, exposed: Any) -> None:
    exposed.ROOT_URLCONF = "tests.gateway.urls"
    response = client.get("/crossdomain.xml")
    assert response["Content-Type"] == "text/x-cross-domain-policy"
    (control,) = ElementTree.fromstring(response.content)
    assert control.attrib == {"permitted-cross-domain-policies": "none"}


@pytest.mark.fact(29)
def test_crossdomain_admits_named_domains(client: Any, exposed: Any) -> None:
    exposed.ROOT_URLCONF = "tests.gateway.urls"
    opened(exposed, CROSSDOMAIN_DOMAINS=["*.games.example", '"><evil/>'])
    elements = list(ElementTree.fromstring(client.get("/crossdomain.xml").content))
    assert [(one.tag, one.attrib) for one in elements] == [
        ("site-control", {"permitted-cross-domain-policies": "master-only"}),
        ("allow-access-from", {"domain": "*.games.example"}),
        ("allow-http-request-headers-from", {"domain": "*.games.example", "headers": "*"}),
        ("allow-access-from", {"domain": '"><evil/>'}),
        ("allow-http-request-headers-from", {"domain": '"><evil/>', "headers": "*"}),
    ]
