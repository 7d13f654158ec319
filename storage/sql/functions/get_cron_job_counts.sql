-- One row a day (UTC) and number that the job's results of that day hold, from the runs themselves: as far back as
-- they are kept.
CREATE OR REPLACE FUNCTION public.get_cron_job_counts(p_job_name text, p_days integer DEFAULT 30)
RETURNS TABLE (
    day date,
    name text,
    total numeric,
    runs bigint
)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT (r.started_at AT TIME ZONE 'UTC')::date, number.key, sum(number.value::numeric), count(*)
      FROM callboard.runs r
     CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(r.result) WHEN 'object' THEN r.result ELSE '{}' END) AS number
     WHERE r.job = p_job_name
       AND r.started_at >= now() - p_days * interval '24 hours'
       AND r.state = 'succeeded'
       AND jsonb_typeof(number.value) = 'number'
     GROUP BY 1, 2
     ORDER BY 1, 2
$$;

COMMENT ON FUNCTION public.get_cron_job_counts(text, integer) IS
    'Public contract: the numbers in the results of a job, added up by day and name, over the last so many days.';
