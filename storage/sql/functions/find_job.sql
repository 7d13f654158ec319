-- The job that a name means: the one that is declared under it, or else the only one whose name differs from it in
-- nothing but - and _. Who writes SQL writes names with underscores.
CREATE OR REPLACE FUNCTION callboard.find_job(p_name text) RETURNS callboard.jobs
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    v_jobs callboard.jobs[];
BEGIN
    SELECT array_agg(j ORDER BY j.name) INTO v_jobs
      FROM callboard.jobs j
     WHERE j.declared AND translate(j.name, '-', '_') = translate(p_name, '-', '_')
       AND (j.name = p_name
            OR NOT EXISTS (SELECT FROM callboard.jobs e WHERE e.declared AND e.name = p_name));
    IF v_jobs IS NULL THEN
        RAISE EXCEPTION 'There is no job "%".', left(p_name, 100)
            USING ERRCODE = 'no_data_found',
                  HINT = 'SELECT job_name FROM cron_job_config shows all that there are; a job is there once a'
                         ' worker that declares it has started.';
    ELSIF cardinality(v_jobs) > 1 THEN
        RAISE EXCEPTION 'The name "%" may mean the job "%" or the job "%".', p_name, v_jobs[1].name, v_jobs[2].name
            USING ERRCODE = 'ambiguous_parameter', HINT = 'Write the name as the job''s code has it.';
    END IF;
    RETURN v_jobs[1];
END
$$;

COMMENT ON FUNCTION callboard.find_job(text) IS
    'The declared job of that name, in either spelling, with - or _. P0002 if there is none, 42P08 if there are several.';
