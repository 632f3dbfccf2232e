"""Addresses with two views: an async view under WSGI would cost nine times a sync one."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from django.http import HttpResponseBase
from django.urls import ResolverMatch, URLPattern, path

View = Callable[..., HttpResponseBase]
AsyncView = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


class DoorPattern(URLPattern):
    """Resolves to the async view where a handler runs on an event loop, else to the sync one.

    Django resolves addresses in the handler itself: ASGIHandler on its loop, WSGIHandler on a
    thread that has none.
    """

    def __init__(self, pattern: URLPattern, async_pattern: URLPattern) -> None:
        super().__init__(pattern.pattern, pattern.callback, pattern.default_args, pattern.name)
        self._async_pattern = async_pattern

    def resolve(self, path: str) -> ResolverMatch | None:
        """The match, with the view that suits the caller."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return super().resolve(path)
        return self._async_pattern.resolve(path)


def door(route: str, view: View, async_view: AsyncView, *, name: str) -> Any:
    """As ``django.urls.path``, for a pair of views."""
    return DoorPattern(path(route, view, name=name), path(route, async_view, name=name))
