"""The one-machine twin: AWS, the exchange and the console on a laptop, and the `cts` command."""
