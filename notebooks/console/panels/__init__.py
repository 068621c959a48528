"""The panels: each a pure function from the screen's state to what it shows."""
