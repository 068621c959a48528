"""Wire protocols, one package per venue."""
