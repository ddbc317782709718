"""Named feeds: how a school's own files become records, by declaration."""
