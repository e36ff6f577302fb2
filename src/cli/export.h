/* The formats of `gyre export`, one file each: export_NAME.c. Internal to src/cli. */
#ifndef GYRE_CLI_EXPORT_H
#define GYRE_CLI_EXPORT_H

#include "gyre/status.h"
#include "gyre/text.h"
#include "gyre/trained.h"

typedef struct {
    const char *name; /* the word behind `gyre export` */
    int expected;     /* what it exports: bits of holds.h */
    /* Writes `source` to `output` and prints the path of each file; `output` is NULL where -o was
     * not given; `weights` is ANY where that was not, as of formats that have none. */
    gyre_status (*write)(const char *source, gyre_weights_choice weights, const char *output);
} cli_export_format;

/* Before a single file is written: -o was given, and nothing is there, or a file as gyre wrote it,
 * with its signature at byte `at`, or 0 at the end (gyre/overwrite.h). `format` is for the message.
 */
gyre_status cli_export_check_file(const char *output, const char *format, size_t at);

/* Opens the network and says which of its weights these are, where its checkpoint has two kinds. */
gyre_status cli_export_open(const char *source, gyre_weights_choice weights, gyre_trained *out);

/* What a file tells of the network besides its numbers. `format`: one more, or NULL. */
typedef struct {
    gyre_note list[8];
    size_t count;
    char hash[20];
    char *class_names; /* JSON */
} cli_export_notes;
gyre_status cli_export_notes_of(const gyre_trained *t, const char *format, cli_export_notes *out);
void cli_export_notes_free(cli_export_notes *n);

/* The first one is meant where no format is named. */
#define CLI_EXPORT_FORMATS(X) X(csv) X(safetensors) X(onnx) X(tensorboard)

#define CLI_DECLARE_FORMAT(name) extern const cli_export_format cli_export_##name;
CLI_EXPORT_FORMATS(CLI_DECLARE_FORMAT)
#undef CLI_DECLARE_FORMAT

#endif
