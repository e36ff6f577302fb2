/* gyre export safetensors: a trained network as PyTorch's state_dict. */
#include "export.h"
#include "export_unet.h"

#include "cli.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/overwrite.h"
#include "gyre/safetensors.h"
#include "gyre/state_dict.h"
#include "gyre/trained.h"
#include "holds.h"
#include <stdlib.h>

/* How a file begins behind the 8 bytes that hold the header's length. */
#define KEY "gyre.checksum"
static const char header[] = "{\"__metadata__\":{\"" KEY "\":\"";
static const char unsigned_value[] = "gyre checksum 0000000000000000";
enum { SIGNATURE_AT = 8 + sizeof header - 1 };
_Static_assert(sizeof unsigned_value == GYRE_SIGNATURE_SIZE + 1, "room for the signature");

/* The arrays of a network, as a state_dict has them. */
typedef struct {
    gyre_state_array *states;
    gyre_safetensors_array *arrays; /* of the same places */
    float *values;
    size_t count, used; /* arrays; floats of `values` */
} state_dict;

static void add(state_dict *d, gyre_state_array state, const float *own) {
    if (state.computed) {
        gyre_say("%s is left out: it was computed from parameters of PyTorch's network, which do "
                 "not follow from it",
                 state.name);
        return;
    }
    const size_t i = d->count++;
    d->states[i] = state;
    d->arrays[i] = (gyre_safetensors_array){d->states[i].name, d->states[i].dims, d->states[i].ndim,
                                            d->values + d->used};
    gyre_state_to_torch(&d->states[i], own, d->values + d->used);
    d->used += state.rows * state.pixels * state.channels;
}

static void close_dict(state_dict *d) {
    free(d->states);
    free(d->arrays);
    free(d->values);
}

/* Close it in any case. */
static gyre_status open_dict(const gyre_trained *t, state_dict *d) {
    const gyre_model *m = t->model;
    const size_t most = (size_t)m->param_count + (size_t)m->statistic_count + 1;
    *d = (state_dict){.states = calloc(most, sizeof *d->states),
                      .arrays = calloc(most, sizeof *d->arrays),
                      .values = calloc(m->parameters + m->buffers + 1, sizeof *d->values)};
    if (d->states == NULL || d->arrays == NULL || d->values == NULL) {
        return gyre_no_memory("the %zu parameters of '%s'", m->parameters, t->checkpoint);
    }
    for (int i = 0; i < m->param_count; i++) {
        add(d, gyre_state_of_param(m, i), t->snapshot.parameters + m->params[i].offset);
    }
    for (int i = 0; i < m->statistic_count; i++) {
        add(d, gyre_state_of_statistic(m, i), t->snapshot.buffers + m->statistics[i].offset);
    }
    return GYRE_OK;
}

/* `unet` is NULL where a file was named. */
static gyre_status write_file(const char *source, gyre_weights_choice weights, const char *output,
                              const export_unet *unet) {
    gyre_trained t = {0};
    state_dict d = {0};
    cli_export_notes notes = {0};
    char *file = NULL;
    size_t size = 0;
    gyre_status status = GYRE_OK;
    GYRE_TRY(cli_export_check_file(output, "safetensors", SIGNATURE_AT));
    GYRE_GOTO(cli_export_open(source, weights, &t));
    if (unet != NULL) GYRE_GOTO(export_unet_write(unet, &t));
    GYRE_GOTO(open_dict(&t, &d));
    notes.list[notes.count++] = (gyre_note){KEY, unsigned_value};
    GYRE_GOTO(cli_export_notes_of(&t, "pt", &notes)); /* as PyTorch's users write it */
    GYRE_GOTO(gyre_safetensors_image(d.arrays, d.count, notes.list, notes.count, &file, &size));
    gyre_overwrite_sign_at(file, size, SIGNATURE_AT);
    GYRE_GOTO(gyre_file_write_atomic(output, file, size));
    cli_print_path(output);
out:
    free(file);
    cli_export_notes_free(&notes);
    close_dict(&d);
    gyre_trained_close(&t);
    return status;
}

static gyre_status write(const char *source, gyre_weights_choice weights, const char *output) {
    export_unet unet = {0};
    if (!export_is_folder(output)) return write_file(source, weights, output, NULL);
    gyre_status status = export_unet_open(output, &unet);
    if (status == GYRE_OK) status = write_file(source, weights, unet.weights, &unet);
    export_unet_close(&unet);
    return status;
}

const cli_export_format cli_export_safetensors = {"safetensors",
                                                  CLI_HOLDS_RUN | CLI_HOLDS_CHECKPOINT, write};
