"""From samples to events: the counter decision table, and duplicates and gaps of message sources."""
