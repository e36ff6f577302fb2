/* Which weights of a run a mean of them is made of. A pure function of settings and schedule. */
#include "gyre/average.h"

#include <stdlib.h>

static gyre_status find_swa(const gyre_average_settings *s, int64_t steps,
                            gyre_average_members *out) {
    const int64_t first = (int64_t)s->start.value, every = (int64_t)s->every.value;
    if (first > steps) {
        return gyre_fail(GYRE_EUSAGE,
                         "average.start: expected at most the run's %lld steps, found %lld",
                         (long long)steps, (long long)first);
    }
    const size_t count = (size_t)((steps - first) / every) + 1;
    out->steps = malloc(count * sizeof *out->steps);
    if (out->steps == NULL) return gyre_no_memory("the %zu members of an average", count);
    for (size_t i = 0; i < count; i++) out->steps[i] = first + (int64_t)i * every;
    out->count = count;
    return GYRE_OK;
}

static gyre_status find_minima(int first, const gyre_schedule *schedule,
                               gyre_average_members *out) {
    int minima = 0;
    const size_t cycles = gyre_schedule_cycle_count(schedule);
    out->steps = malloc((cycles + 1) * sizeof *out->steps);
    if (out->steps == NULL) return gyre_no_memory("the %zu members of an average", cycles);
    for (size_t i = 0; i < cycles; i++) {
        const int64_t completed = gyre_schedule_cycle(schedule, i).last + 1;
        if (!gyre_schedule_is_minimum(schedule, completed)) continue;
        if (++minima >= first) out->steps[out->count++] = completed;
    }
    return GYRE_OK;
}

gyre_status gyre_average_find_members(const gyre_average_settings *s, gyre_average_kind kind,
                                      const gyre_schedule *schedule, gyre_average_members *out) {
    *out = (gyre_average_members){0};
    switch (kind) {
    case GYRE_AVERAGE_SWA: return find_swa(s, gyre_schedule_steps(schedule), out);
    case GYRE_AVERAGE_MINIMA: return find_minima(s->first_minimum, schedule, out);
    default: return GYRE_OK;
    }
}

size_t gyre_average_taken(const gyre_average_members *m, int64_t completed, bool *now) {
    size_t low = 0, high = m->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (m->steps[middle] <= completed)
            low = middle + 1;
        else
            high = middle;
    }
    *now = low > 0 && m->steps[low - 1] == completed;
    return low;
}
