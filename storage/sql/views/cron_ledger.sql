-- Grain: one row per occurrence, that is per slot of a schedule that has been decided.
-- A run's message is made between its slot and the decision: that bound lets its week alone be looked into.
CREATE OR REPLACE VIEW public.cron_ledger AS
SELECT o.schedule_id, o.job_name, s.key AS schedule, s.expr AS schedule_expr, s.tz AS schedule_tz, o.due_at,
       o.disposition, o.reason, o.run_id, r.state AS run_state, coalesce(r.error, r.reason) AS run_reason,
       o.decided_at
  FROM callboard.occurrences o
  LEFT JOIN callboard.schedules s ON s.id = o.schedule_id
  LEFT JOIN callboard.runs r
         ON r.run_id = o.run_id
        AND r.enqueued_at BETWEEN o.due_at - interval '1 second' AND o.decided_at + interval '1 minute';

COMMENT ON VIEW public.cron_ledger IS
    'Public contract: one row per expected occurrence of a schedule, with what became of it, why, and of its run.';
