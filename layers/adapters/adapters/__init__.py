"""The engine's ports on AWS and on exchanges; the only code between the rules and the world."""
