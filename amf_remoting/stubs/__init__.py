"""Typed clients written from the exposed services: what `manage.py amf_client` prints."""
