"""HTTP: the pull API, health and metrics. Reads views, posts commands."""
