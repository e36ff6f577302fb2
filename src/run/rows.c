/* Rows of metrics.h5 and of event files; see rows.h. */
#include "rows.h"

#include <math.h>
#include <stdio.h>

/* A row that finds no memory is lost for good. */
static gyre_status keep(run_rows *r, gyre_status status) {
    if (status == GYRE_EDEVICE) return status;
    run_files_tolerate(r->files, status);
    return GYRE_OK;
}

static void show(run_rows *r, const gyre_step_result *result) {
    const gyre_progress_facts facts = {
        .completed = result->step + 1,
        .steps = r->steps,
        .cycle = result->rate.cycle + 1,
        .cycles = r->cycles,
        .batch = r->batch,
        .lr = result->rate.lr,
        .loss = result->loss,
    };
    gyre_progress_show(r->progress, &facts);
}

gyre_status run_rows_train(run_rows *r, const gyre_step_result *result) {
    double seconds = run_timing_row(r->timing, result->time);
    const gyre_train_row row = {.step = result->step,
                                .epoch = result->step / r->steps_per_epoch,
                                .cycle = result->rate.cycle,
                                .lr = result->rate.lr,
                                .momentum = result->rate.momentum,
                                .loss = result->loss,
                                .grad_norm = result->norm,
                                .samples_per_s = (double)r->batch / fmax(seconds, 1e-9),
                                .seconds = run_timing_at(r->timing, result->time)};
    r->rate = result->rate;
    GYRE_TRY(keep(r, gyre_metrics_train(r->files->metrics, &row)));
    GYRE_TRY(keep(r, gyre_tensorboard_train(r->files->tensorboard, &row)));
    show(r, result);
    return GYRE_OK;
}

static gyre_status keep_bands(run_rows *r, int64_t completed, const gyre_score *score) {
    gyre_bands_row row = {.step = completed};
    if (score->band_count == 0) return GYRE_OK;
    for (int b = 0; b < GYRE_LOSS_BANDS_MAX; b++) {
        row.bands[b] = b < score->band_count ? score->bands[b] : (double)NAN;
    }
    return keep(r, gyre_metrics_bands(r->files->metrics, &row));
}

gyre_status run_rows_validation(run_rows *r, int64_t completed, const gyre_score *score) {
    const gyre_validation_row row = {.step = completed,
                                     .epoch = (completed - 1) / r->steps_per_epoch,
                                     .cycle = r->rate.cycle,
                                     .loss = score->loss,
                                     .metric = score->metric,
                                     .seconds = run_timing_seconds(r->timing)};
    GYRE_TRY(keep(r, gyre_metrics_validation(r->files->metrics, &row)));
    GYRE_TRY(keep_bands(r, completed, score));
    GYRE_TRY(keep(r, gyre_tensorboard_validation(r->files->tensorboard, &row)));
    gyre_json *line = gyre_event_begin(r->files->events, "evaluation");
    gyre_json_add_integer(line, "step", row.step);
    gyre_json_add_number(line, "loss", row.loss);
    gyre_json_add_number(line, score->of->name, row.metric);
    if (score->views > 1) gyre_json_add_integer(line, "views", score->views);
    run_files_log(r->files, line);
    return GYRE_OK;
}

gyre_status run_rows_averages(run_rows *r, const gyre_averages_row *row, const gyre_metric *of) {
    if (row == NULL) return GYRE_OK;
    GYRE_TRY(keep(r, gyre_metrics_averages(r->files->metrics, row)));
    gyre_json *line = gyre_event_begin(r->files->events, "averages");
    gyre_json_add_integer(line, "step", row->step);
    for (int kind = 0; kind < GYRE_AVERAGE_COUNT; kind++) {
        char key[96];
        const char *name = gyre_average_or_last((gyre_average_kind)kind);
        if (isnan(row->loss[kind]) && isnan(row->metric[kind])) continue;
        snprintf(key, sizeof key, "%s_loss", name);
        gyre_json_add_number(line, key, row->loss[kind]);
        snprintf(key, sizeof key, "%s_%s", name, of->name);
        gyre_json_add_number(line, key, row->metric[kind]);
    }
    run_files_log(r->files, line);
    return GYRE_OK;
}

gyre_status run_rows_cycle(run_rows *r, int64_t completed, const gyre_score *score) {
    const gyre_cycle_row row = {.cycle = r->rate.cycle,
                                .end_step = completed,
                                .lr = r->rate.lr,
                                .loss = score != NULL ? score->loss : (double)NAN,
                                .metric = score != NULL ? score->metric : (double)NAN};
    return keep(r, gyre_metrics_cycle(r->files->metrics, &row));
}
