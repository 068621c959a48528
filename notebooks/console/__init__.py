"""The operator console: one screen over the CTS HTTPS API, made for a notebook."""
