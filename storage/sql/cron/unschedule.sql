-- needs: cron/job_delete
CREATE OR REPLACE FUNCTION cron.unschedule(job_name text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM cron.job WHERE jobname = unschedule.job_name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no schedule "%".', coalesce(unschedule.job_name, 'NULL')
            USING ERRCODE = 'no_data_found', HINT = 'SELECT jobid, jobname FROM cron.job shows all that there are.';
    END IF;
    RETURN true;
END
$$;

COMMENT ON FUNCTION cron.unschedule(text) IS 'Public contract: removes a schedule by its name; P0002 if there is none.';

CREATE OR REPLACE FUNCTION cron.unschedule(job_id bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM cron.job WHERE jobid = unschedule.job_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'There is no schedule %.', coalesce(unschedule.job_id::text, 'NULL')
            USING ERRCODE = 'no_data_found', HINT = 'SELECT jobid, jobname FROM cron.job shows all that there are.';
    END IF;
    RETURN true;
END
$$;

COMMENT ON FUNCTION cron.unschedule(bigint) IS 'Public contract: removes a schedule by its id; P0002 if there is none.';
