"""Mount them anywhere: ``path("gateway/", include("amf_remoting.urls"))``."""

from . import views
from .routes import door

app_name = "amf_remoting"
urlpatterns = [
    door("", views.gateway, views.agateway, name="gateway"),
    door("json/<str:service>/", views.json_call, views.ajson_call, name="json_function"),
    door("json/<str:service>/<str:method>/", views.json_call, views.ajson_call, name="json"),
]
