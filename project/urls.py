"""Addresses of the demo site."""

from django.contrib import admin
from django.urls import include, path

from amf_remoting.views import crossdomain

urlpatterns = [
    path("", include("project.demo.urls")),
    path("admin/", admin.site.urls),
    path("crossdomain.xml", crossdomain),
    path("gateway/", include("amf_remoting.urls")),
    path("services/", include("amf_remoting.browser.urls")),
]
