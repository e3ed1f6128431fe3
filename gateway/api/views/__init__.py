"""What can be seen: reads of the store and of the daemon, never a change."""
