-- Grain: one row per health check.
CREATE OR REPLACE VIEW business.uptime_checks AS
SELECT id, checked_at, status, duration_ms, checks
  FROM callboard.uptime_checks;

COMMENT ON VIEW business.uptime_checks IS 'The uptime log, as the job health-check writes it.';
