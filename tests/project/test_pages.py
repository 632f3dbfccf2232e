"""The demo site's own pages."""

from html.parser import HTMLParser

import pytest
from django.test import Client

from amf_remoting.registry import registry


class Outline(HTMLParser):
    """Elements by name, and what the links point at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.links += [value for name, value in attrs if name == "href" and tag == "a" and value]


def test_start_page_names_every_exposed_method_and_links_to_docs_and_admin(client: Client) -> None:
    response = client.get("/")
    assert response.status_code == 200
    text = response.content.decode()
    for service in registry:
        for method in service.methods.values():
            assert f"<code>{method.target}</code>" in text
    outline = Outline(text)
    assert {"/", "/docs/", "/admin/", "#content"} <= set(outline.links)
    assert [outline.elements.count(name) for name in ("h1", "main", "header")] == [1, 1, 1]


def test_start_page_names_the_host_it_was_asked_by(client: Client) -> None:
    text = client.get("/", headers={"host": "localhost:8123"}).content.decode()
    assert "http://localhost:8123/gateway/" in text
    assert "rtmp://localhost:1935/lobby/room1" in text
    assert "rtmpt://localhost:8123/lobby/room1" in text
    assert "ws://localhost:8123/ws/tunnel/" in text
    assert "http://localhost:8123/gateway/json/math/add/" in text


def test_the_json_door_that_the_start_page_shows(client: Client) -> None:
    response = client.post("/gateway/json/math/add/", "[2, 3]", "application/json")
    assert response.json() == {"result": 5}


def test_every_page_of_the_documentation_is_served(client: Client) -> None:
    pages = [
        link for link in Outline(client.get("/docs/").content.decode()).links if "docs/" in link
    ]
    assert "/docs/quickstart" in pages
    assert {client.get(page).status_code for page in pages} == {200}


@pytest.mark.parametrize("page", ["nowhere", "../README", "%2e%2e/README", "/etc/passwd"])
def test_documentation_serves_nothing_else(client: Client, page: str) -> None:
    assert client.get(f"/docs/{page}").status_code == 404


@pytest.mark.parametrize("path", ["/", "/docs/"])
def test_pages_are_for_reading(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
