"""The routes, one blueprint for each part of the system."""
