"""Load, plan, apply: how each loop turns, and the only place that calls ports."""
