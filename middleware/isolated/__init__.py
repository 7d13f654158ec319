"""Runs in processes of their own.

    worker process                       nursery, one a worker           one process a run
    --------------                       ---------------------           -----------------
    Caller  -- BEGIN, two sockets -->    Nursery  -- fork -->            run_request
    Call    -- leash: ask, kill   -->             -- SIGTERM, SIGKILL -->
            <-- leash: the end    --              <-- SIGCHLD
            -- request, interrupt ---------------------------------->    Voice
            <-- lines, progress, result or error --------------------

The worker's thread waits for its run's process as it would for the function, so that everything around it
(hooks, retries, mutexes, the record) is what it is for any other run. Who interrupts a run does so by its
window, which here is a `Leash`: the thread sees it, has the interrupt raised in the process, and has the
process killed when it has not ended half a second later.
"""
