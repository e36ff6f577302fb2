/* What a range test leaves: its memory, and which of its rates are to be used. */
#include "gyre/find.h"

#include <math.h>
#include <stdlib.h>

void gyre_find_close(gyre_find *f) {
    free(f->rows);
    free(f->scores);
    free(f->repeats);
    free(f->cycles);
    *f = (gyre_find){0};
}

gyre_find_answer gyre_find_answer_of(const gyre_find *f) {
    const gyre_find_verdict *v = &f->verdict;
    const gyre_find_range *r = &f->range;
    const double none = (double)NAN;
    if (r->outcome == GYRE_FIND_UNTRIED) {
        return v->reliable ? (gyre_find_answer){true, v->value.base_lr, v->value.max_lr,
                                                v->stepsize, v->reason}
                           : (gyre_find_answer){false, none, none, 0, v->reason};
    }
    if (r->outcome != GYRE_FIND_TESTED) return (gyre_find_answer){false, none, none, 0, r->reason};
    return (gyre_find_answer){true, r->base_lr, r->max_lr, r->stepsize, r->reason};
}
