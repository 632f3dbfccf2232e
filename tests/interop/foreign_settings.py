"""The demo site for a SWF on another site's page: PAGE_ORIGIN may call the gateway."""

import os

from project.settings import *  # noqa: F403
from project.settings import AMF_REMOTING as DEMO

AMF_REMOTING = {**DEMO, "ALLOWED_ORIGINS": [os.environ["PAGE_ORIGIN"]]}
