"""The service browser: exposed services, forms that call them, a packet inspector. For staff."""
