/* gyre export onnx: a trained network with its normalisation, as programs that score pictures read
 * it. */
#include "export.h"

#include "cli.h"
#include "gyre/file.h"
#include "gyre/onnx_write.h"
#include "gyre/overwrite.h"
#include "holds.h"
#include <stdlib.h>

/* No operator of the file tells that its weights are for values as they are. */
static void add_normalisation(const gyre_trained *t, cli_export_notes *notes) {
    const gyre_model *m = t->model;
    const size_t channels = (size_t)m->c, count = (size_t)m->h * (size_t)m->w * channels;
    for (size_t i = 0; i < count; i++) {
        if (t->snapshot.mean[i] != 0) return;
    }
    for (size_t k = 0; k < channels; k++) {
        if (t->snapshot.scale[k] != 1) return;
    }
    notes->list[notes->count++] = (gyre_note){"gyre.normalize", "raw"};
}

static gyre_status write(const char *source, gyre_weights_choice weights, const char *output) {
    gyre_trained t = {0};
    cli_export_notes notes = {0};
    char *file = NULL;
    size_t size = 0;
    gyre_status status = GYRE_OK;
    GYRE_TRY(cli_export_check_file(output, "onnx", 0));
    GYRE_GOTO(cli_export_open(source, weights, &t));
    GYRE_GOTO(cli_export_notes_of(&t, NULL, &notes));
    add_normalisation(&t, &notes);
    const gyre_onnx_network network = {.model = t.model,
                                       .parameters = t.snapshot.parameters,
                                       .buffers = t.snapshot.buffers,
                                       .mean = t.snapshot.mean,
                                       .scale = t.snapshot.scale};
    GYRE_GOTO(gyre_onnx_image(&network, notes.list, notes.count, &file, &size));
    GYRE_GOTO(gyre_overwrite_sign_onnx(&file, &size));
    GYRE_GOTO(gyre_file_write_atomic(output, file, size));
    cli_print_path(output);
out:
    free(file);
    cli_export_notes_free(&notes);
    gyre_trained_close(&t);
    return status;
}

const cli_export_format cli_export_onnx = {"onnx", CLI_HOLDS_RUN | CLI_HOLDS_CHECKPOINT, write};
