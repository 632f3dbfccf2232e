"""Who may call from a browser: CORS for Ruffle, crossdomain.xml for the player, session proof.

The doors are exempt from Django's CSRF token, which no remoting client can send. In its place:

- A door reads one content type only, and none that a form or a simple cross-site request can
  have. A browser asks first (preflight), and is refused unless ALLOWED_ORIGINS names the site.
- A request that carries a session or other credentials and says, by Origin or else by Referer,
  that it comes from another site's page is refused, unless that site is allowed and
  ALLOW_CREDENTIALS is on. One that says neither comes from no page of a browser.
"""

from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from .conf import remoting_settings, session_cookie_name, trusted_origins

PREFLIGHT_SECONDS = 600


def is_foreign(request: HttpRequest) -> bool:
    """Whether the browser asks for the right to show the answer to another site's page."""
    origin = request.META.get("HTTP_ORIGIN")
    return origin is not None and not _is_own(origin, request)


def is_allowed(request: HttpRequest) -> bool:
    """Whether ALLOWED_ORIGINS names the foreign page's site; "*" names all."""
    allowed = remoting_settings().allowed_origins
    return "*" in allowed or request.META.get("HTTP_ORIGIN") in allowed


def lacks_proof(request: HttpRequest) -> bool:
    """Whether credentials came with a request that another site's page may have forged.

    For requests that name a page, by Origin or Referer: others come from none.
    """
    origin = _page_origin(request)
    if _is_own(origin, request):
        return False
    if session_cookie_name() not in request.COOKIES and "HTTP_AUTHORIZATION" not in request.META:
        return False
    # "*" never goes with credentials: any page could act for the user then.
    named = origin in remoting_settings().allowed_origins
    return not (named and remoting_settings().allow_credentials)


def _page_origin(request: HttpRequest) -> str:
    """Where the page is from that sends this: one of two headers says it."""
    origin: str | None = request.META.get("HTTP_ORIGIN")
    if origin is not None:
        return origin
    try:
        page = urlsplit(request.META["HTTP_REFERER"])
    except ValueError:
        return "null"
    return f"{page.scheme}://{page.netloc}"


def _is_own(origin: str, request: HttpRequest) -> bool:
    own = f"{'https' if request.is_secure() else 'http'}://{request.get_host()}"
    return origin == own or origin in trusted_origins()


def add_cors(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Lets an allowed foreign page read the response."""
    if not remoting_settings().allowed_origins:
        return response
    patch_vary_headers(response, ["Origin"])
    if is_foreign(request) and is_allowed(request):
        origin = request.META["HTTP_ORIGIN"]
        response["Access-Control-Allow-Origin"] = origin
        if remoting_settings().allow_credentials and origin in remoting_settings().allowed_origins:
            response["Access-Control-Allow-Credentials"] = "true"
    return response


def preflight(request: HttpRequest) -> HttpResponse:
    """Answers OPTIONS: 204 with permission for allowed sites, 403 for others."""
    if not is_foreign(request):
        return HttpResponse(status=204, headers={"Allow": "GET, OPTIONS, POST"})
    if not is_allowed(request):
        return HttpResponse("This site may not call.\n", status=403, content_type="text/plain")
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = "POST"
    response["Access-Control-Allow-Headers"] = "Content-Type"
    response["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return add_cors(request, response)


def crossdomain(request: HttpRequest) -> HttpResponse:
    """The cross-domain policy file of Flash Player and AIR; mount it at /crossdomain.xml.

    Without CROSSDOMAIN_DOMAINS it forbids every other domain.
    """
    domains = remoting_settings().crossdomain_domains
    lines = [
        f"  <allow-access-from domain={quoteattr(one)}/>\n"
        f'  <allow-http-request-headers-from domain={quoteattr(one)} headers="*"/>\n'
        for one in domains
    ]
    control = "master-only" if domains else "none"
    text = (
        '<?xml version="1.0"?>\n<cross-domain-policy>\n'
        f'  <site-control permitted-cross-domain-policies="{control}"/>\n'
        f"{''.join(lines)}</cross-domain-policy>\n"
    )
    return HttpResponse(text, content_type="text/x-cross-domain-policy")
