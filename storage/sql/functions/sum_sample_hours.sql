-- The hours of samples, where more samples are known of one than were added to it.
CREATE OR REPLACE FUNCTION callboard.sum_sample_hours(p_from timestamptz) RETURNS void
LANGUAGE sql
AS $$
    INSERT INTO callboard.queue_sample_hours AS h (
        queue, bucket, samples, first_at, last_at, depth_max, dead_max,
        depth_sum, parked_sum, in_flight_sum, busy_sum, slots_sum
    )
    SELECT queue, date_trunc('hour', at, 'UTC'), count(*), min(at), max(at), max(depth), max(dead),
           sum(depth), sum(parked), sum(in_flight), sum(busy), sum(slots)
      FROM callboard.queue_samples
     WHERE at >= date_trunc('hour', p_from, 'UTC')
     GROUP BY 1, 2
        ON CONFLICT (queue, bucket) DO UPDATE
       SET samples = excluded.samples, first_at = excluded.first_at, last_at = excluded.last_at
         , depth_max = excluded.depth_max, dead_max = excluded.dead_max
         , depth_sum = excluded.depth_sum, parked_sum = excluded.parked_sum
         , in_flight_sum = excluded.in_flight_sum, busy_sum = excluded.busy_sum, slots_sum = excluded.slots_sum
     WHERE excluded.samples > h.samples;
$$;

COMMENT ON FUNCTION callboard.sum_sample_hours(timestamptz) IS
    'Makes the hours since a moment anew from the samples of queues, where some of these were not added.';
