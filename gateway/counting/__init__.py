"""From samples to events: the counter decision table, and duplicates and gaps of message sources.

What deciding on single readings taught, beyond the plain table (each is tested):

- Only an unchanged value, a forward count and a rollover with a known epoch are believed at first sight. A reset, a
  swap, a multiwrap, an inferred rollover and every hold want a second reading that agrees: otherwise one torn read
  would hold a segment, and a flickering boot id would book a reset twice.
- The two readings are 2 s apart unless the device's timestamp proves the second one newer: a burst of old readings
  must not confirm itself.
- An old timestamp is old whatever the epoch. Three of them, 2 s apart: the device's clock was set back, its
  timestamps count anew from there.
- A doubted jump stays doubted: waiting doesn't make it plausible.
- Time that earlier units didn't need (at most 5 s) adds to the cap: several values in one notification, or a late
  answer, are no leap.
"""
