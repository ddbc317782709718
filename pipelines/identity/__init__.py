"""Who is who: keys, pseudonyms, the vault and the bridge from pseudonyms to persons."""
