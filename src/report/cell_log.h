/* What a cell's log.jsonl tells beside its tables. Internal to src/report. */
#ifndef GYRE_CELL_LOG_H
#define GYRE_CELL_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* Of runs of older programs some is not known, which is 0, false or NULL here. */
typedef struct {
    double chance;     /* share of the most frequent class among the scored samples */
    bool guesses;      /* its last score is no better than that */
    char *machine;     /* what may change bits (the processor, the libraries); NULL: not known */
    bool moved;        /* it was computed on more than one of these, or on unlike ones at once */
    int64_t test_step; /* completed updates at the last score on the test part */
    double test_loss, test_accuracy;
} gyre_cell_log;

void gyre_cell_log_read(const char *folder, gyre_cell_log *out);
void gyre_cell_log_close(gyre_cell_log *log);

#endif
