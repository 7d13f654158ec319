-- A changed expression or time zone says nothing about the past, and a schedule switched on does not make up for
-- the time it was off: slots count from now on, unless checked_until is set in the same breath.
CREATE OR REPLACE FUNCTION callboard.schedule_changing() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.changed_at := now();
    -- Callboard's own processes say who it was; whoever else changes a schedule by SQL is named here.
    IF NEW.changed_by IS NOT DISTINCT FROM OLD.changed_by
       AND current_setting('application_name') NOT LIKE 'callboard%' THEN
        NEW.changed_by := coalesce(nullif(current_setting('callboard.who', true), ''), session_user);
    END IF;
    IF NEW.checked_until IS NOT DISTINCT FROM OLD.checked_until
       AND (NEW.expr <> OLD.expr OR NEW.tz <> OLD.tz OR (NEW.enabled AND NOT OLD.enabled)) THEN
        NEW.checked_until := greatest(OLD.checked_until, now());
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION callboard.schedule_changing() IS 'Slots of a changed schedule count from the change on.';

CREATE OR REPLACE FUNCTION callboard.schedule_changed() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_notify('callboard_schedules', coalesce(NEW.id, OLD.id)::text);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION callboard.schedule_changed() IS 'Tells the schedulers.';

CREATE OR REPLACE TRIGGER schedules_changing
    BEFORE UPDATE OF job_name, key, expr, tz, args, kwargs, enabled, misfire, misfire_limit, grace_ms
    ON callboard.schedules
    FOR EACH ROW
    WHEN ((NEW.job_name, NEW.key, NEW.expr, NEW.tz, NEW.args, NEW.kwargs, NEW.enabled, NEW.misfire,
           NEW.misfire_limit, NEW.grace_ms)
          IS DISTINCT FROM
          (OLD.job_name, OLD.key, OLD.expr, OLD.tz, OLD.args, OLD.kwargs, OLD.enabled, OLD.misfire,
           OLD.misfire_limit, OLD.grace_ms))
    EXECUTE FUNCTION callboard.schedule_changing();

CREATE OR REPLACE TRIGGER schedules_updated
    AFTER UPDATE OF job_name, key, expr, tz, args, kwargs, enabled, misfire, misfire_limit, grace_ms
    ON callboard.schedules
    FOR EACH ROW
    WHEN ((NEW.job_name, NEW.key, NEW.expr, NEW.tz, NEW.args, NEW.kwargs, NEW.enabled, NEW.misfire,
           NEW.misfire_limit, NEW.grace_ms)
          IS DISTINCT FROM
          (OLD.job_name, OLD.key, OLD.expr, OLD.tz, OLD.args, OLD.kwargs, OLD.enabled, OLD.misfire,
           OLD.misfire_limit, OLD.grace_ms))
    EXECUTE FUNCTION callboard.schedule_changed();

CREATE OR REPLACE TRIGGER schedules_added_or_removed
    AFTER INSERT OR DELETE ON callboard.schedules
    FOR EACH ROW EXECUTE FUNCTION callboard.schedule_changed();
