"""Backups of what must last: files with checksums, in a folder or an S3 bucket.

`infra/docs/backups.md` describes the format.
"""
