"""Use cases, reads, authorisation and audit: everything that a face may ask for."""
