"""The trading rules of CTS as pure functions: numpy and the standard library only."""
