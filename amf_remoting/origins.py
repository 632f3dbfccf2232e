"""Who may call from a browser: CORS for Ruffle, crossdomain.xml for the player, session proof.

The doors are exempt from Django's CSRF token, which no remoting client can send. In its place:

- A door reads one content type only, and none that a form or a simple cross-site request can
  have. A browser asks first (preflight), and is refused unless ALLOWED_ORIGINS names the site.
- A request that carries a session or other credentials and says that it comes from another site
  is refused, unless that site is allowed and ALLOW_CREDENTIALS is on.
"""

from xml.sax.saxutils import quoteattr

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from .conf import remoting_settings, session_cookie_name, trusted_origins

PREFLIGHT_SECONDS = 600


def is_foreign(request: HttpRequest) -> bool:
    """Whether the browser says that another site's page sends this."""
    origin = request.META.get("HTTP_ORIGIN")
    if origin is None:
        return False
    own = f"{'https' if request.is_secure() else 'http'}://{request.get_host()}"
    return origin != own and origin not in trusted_origins()


def is_allowed(request: HttpRequest) -> bool:
    """Whether ALLOWED_ORIGINS names the foreign page's site; "*" names all."""
    allowed = remoting_settings().allowed_origins
    return "*" in allowed or request.META.get("HTTP_ORIGIN") in allowed


def lacks_proof(request: HttpRequest) -> bool:
    """Whether credentials came with a request that another site's page may have forged."""
    has_credentials = (
        session_cookie_name() in request.COOKIES or "HTTP_AUTHORIZATION" in request.META
    )
    if not has_credentials or not is_foreign(request):
        return False
    # "*" never goes with credentials: any page could act for the user then.
    named = request.META["HTTP_ORIGIN"] in remoting_settings().allowed_origins
    return not (named and remoting_settings().allow_credentials)


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
