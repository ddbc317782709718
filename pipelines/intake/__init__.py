"""From the inbox to the evidence log: receive, read, validate, check, segment."""
