"""Addresses of the demo site's own pages."""

from django.urls import path

from . import views

app_name = "demo"
urlpatterns = [
    path("", views.index, name="index"),
    path("docs/", views.documentation, name="documentation"),
    path("docs/<path:page>", views.documentation, name="documentation_page"),
]
