-- needs: cron/job_update
CREATE OR REPLACE FUNCTION cron.alter_job(
    job_id bigint,
    schedule text DEFAULT NULL,
    command text DEFAULT NULL,
    database text DEFAULT NULL,
    username text DEFAULT NULL,
    active boolean DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE cron.job j
       SET schedule = coalesce(alter_job.schedule, j.schedule), command = coalesce(alter_job.command, j.command),
           database = coalesce(alter_job.database, j.database), username = coalesce(alter_job.username, j.username),
           active = coalesce(alter_job.active, j.active)
     WHERE j.jobid = alter_job.job_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no schedule %.', coalesce(alter_job.job_id::text, 'NULL')
            USING ERRCODE = 'no_data_found', HINT = 'SELECT jobid, jobname FROM cron.job shows all that there are.';
    END IF;
END
$$;

COMMENT ON FUNCTION cron.alter_job(bigint, text, text, text, text, boolean) IS
    'Public contract: changes what is given of a schedule, and leaves what is NULL.';
