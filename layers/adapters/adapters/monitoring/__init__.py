"""What operators see of a running system: logs, errors, alerts, notifications, metrics."""
