"""What the committee sees: a pack of pages from one published edition."""
