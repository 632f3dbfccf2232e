"""Addresses of the demo site."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("project.demo.urls")),
    path("admin/", admin.site.urls),
]
