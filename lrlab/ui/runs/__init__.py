"""Starting, finding, watching and comparing runs on pages."""
