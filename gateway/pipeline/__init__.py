"""The batch: scans in, one transaction, acknowledgements out."""
