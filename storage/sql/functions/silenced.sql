-- Which silence keeps an alert from being told at a moment: of several, the one that lasts longest.
CREATE OR REPLACE FUNCTION callboard.silenced(p_kind text, p_subject text, p_at timestamptz) RETURNS bigint
LANGUAGE sql STABLE
AS $$
    SELECT id
      FROM callboard.silences
     WHERE from_at <= p_at AND p_at < until_at
       AND (kind IS NULL OR kind = p_kind)
       AND (subject IS NULL
            OR p_subject LIKE replace(replace(replace(replace(subject, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%'))
     ORDER BY until_at DESC, id
     LIMIT 1
$$;

COMMENT ON FUNCTION callboard.silenced(text, text, timestamptz) IS
    'The silence that an alert of that kind and subject is under at a moment; null where there is none.';
