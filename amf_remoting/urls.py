"""Mount them anywhere: ``path("gateway/", include("amf_remoting.urls"))``."""

from . import views
from .routes import door

app_name = "amf_remoting"
urlpatterns = [door("", views.gateway, views.agateway, name="gateway")]
