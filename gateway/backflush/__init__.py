"""The engine: explode, round, allocate, post. Pure: step(state, master, trigger) → changes and outcome."""
