"""The checklist of `cts verify`: each item looks for itself, and changes nothing."""
