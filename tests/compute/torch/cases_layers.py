"""Later."""
CASES = {}
