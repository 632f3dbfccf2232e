"""Addresses for the gateway's tests."""

from django.contrib import admin
from django.urls import include, path

from amf_remoting.views import crossdomain

urlpatterns = [
    path("gateway/", include("amf_remoting.urls")),
    path("crossdomain.xml", crossdomain),
    path("admin/", admin.site.urls),
]
