"""Addresses for the gateway's tests."""

from django.contrib import admin
from django.http import HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from amf_remoting.views import crossdomain

urlpatterns = [
    path("gateway/", include("amf_remoting.urls")),
    path("crossdomain.xml", crossdomain),
    path("admin/", admin.site.urls),
    path("page/", csrf_exempt(lambda request: HttpResponse("no gateway"))),
]
