"""One module a benchmark: it sets its subject, floor and rival side by side."""
