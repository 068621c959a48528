"""What goes in and out of the routes, as pydantic models."""
