"""Mount them anywhere: ``path("services/", include("amf_remoting.browser.urls"))``.

They need django.contrib.admin, whose login they use.
"""

from django.urls import path

from . import recordings, views

app_name = "amf_remoting_browser"
urlpatterns = [
    path("", views.services, name="services"),
    path("call/<str:target>/", views.method, name="method"),
    path("inspector/", views.inspector, name="inspector"),
    path("recorded/", recordings.recorded, name="recorded"),
    path("recorded/<int:pk>/", recordings.recording, name="recording"),
]
