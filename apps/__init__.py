"""The apps: layout and events of each system, and the console command that records and serves."""
