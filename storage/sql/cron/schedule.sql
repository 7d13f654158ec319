-- needs: cron/job_insert, cron/job_update
-- A name that is there already is given the new schedule and command, as pg_cron does.
CREATE OR REPLACE FUNCTION cron.schedule(job_name text, schedule text, command text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_id bigint;
BEGIN
    IF schedule.job_name IS NULL THEN
        RAISE EXCEPTION 'A schedule''s name cannot be NULL.'
            USING ERRCODE = 'null_value_not_allowed', HINT = 'Leave it out: cron.schedule(schedule, command).';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('cron.schedule ' || schedule.job_name, 0));
    UPDATE cron.job j
       SET schedule = schedule.schedule, command = schedule.command
     WHERE j.jobid = (SELECT jobid FROM callboard.cron_jobs WHERE jobname = schedule.job_name
                       ORDER BY is_sql DESC, jobid LIMIT 1)
    RETURNING j.jobid INTO v_id;
    IF NOT FOUND THEN
        INSERT INTO cron.job (jobname, schedule, command)
        VALUES (schedule.job_name, schedule.schedule, schedule.command)
        RETURNING jobid INTO v_id;
    END IF;
    RETURN v_id;
END
$$;

COMMENT ON FUNCTION cron.schedule(text, text, text) IS
    'Public contract: runs SQL on a schedule; returns its id. A name that is there is changed.';

CREATE OR REPLACE FUNCTION cron.schedule(schedule text, command text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    v_id bigint;
BEGIN
    INSERT INTO cron.job (schedule, command) VALUES (schedule.schedule, schedule.command) RETURNING jobid INTO v_id;
    RETURN v_id;
END
$$;

COMMENT ON FUNCTION cron.schedule(text, text) IS 'Public contract: runs SQL on a schedule without a name; returns its id.';
