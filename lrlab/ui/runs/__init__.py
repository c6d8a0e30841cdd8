"""Starting, finding and watching runs on pages."""
