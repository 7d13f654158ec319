-- Whether a JSON value is what a declared type such as `str | None` accepts; a type not listed here accepts anything.
CREATE OR REPLACE FUNCTION callboard.fits_type(p_type text, p_value jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
    SELECT p_type IS NULL OR bool_or(
               CASE btrim(split_part(part, '[', 1))
                   WHEN 'str' THEN jsonb_typeof(p_value) = 'string'
                   WHEN 'int' THEN jsonb_typeof(p_value) = 'number' AND p_value::text !~ '[.eE]'
                   WHEN 'float' THEN jsonb_typeof(p_value) = 'number'
                   WHEN 'bool' THEN jsonb_typeof(p_value) = 'boolean'
                   WHEN 'list' THEN jsonb_typeof(p_value) = 'array'
                   WHEN 'tuple' THEN jsonb_typeof(p_value) = 'array'
                   WHEN 'dict' THEN jsonb_typeof(p_value) = 'object'
                   WHEN 'None' THEN jsonb_typeof(p_value) = 'null'
                   ELSE true
               END)
      FROM unnest(string_to_array(btrim(p_type, '''"'), '|')) AS part
$$;

COMMENT ON FUNCTION callboard.fits_type(text, jsonb) IS 'Whether a JSON value fits the annotation of a parameter.';
