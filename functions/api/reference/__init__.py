"""What the API says of itself: the OpenAPI document, its page, the table of routes."""
