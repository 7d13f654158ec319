-- Grain: one row per alert.
CREATE OR REPLACE VIEW business.alerts AS
SELECT id, opened_at, resolved_at, kind, severity, subject, message, details, acknowledged_at, acknowledged_by
  FROM callboard.alerts;

COMMENT ON VIEW business.alerts IS 'Alerts of the system and of the business alike; open until resolved_at.';
