"""Programs of floors and rivals. Those of rivals run in environments of their own."""
