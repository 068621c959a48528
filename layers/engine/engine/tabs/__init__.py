"""The settings, a table for each tab an operator sees."""
