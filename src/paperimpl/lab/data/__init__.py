"""Real data from packages that ship it, one module per source. Nothing is downloaded, nothing is committed."""
