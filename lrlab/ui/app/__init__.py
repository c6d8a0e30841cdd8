"""What every page shares: the server, the browser's identity, charts and polling."""
