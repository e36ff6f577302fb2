/* The file that an export writes, where it is a single one, and its notes. */
#include "export.h"

#include "gyre/file.h"
#include "gyre/json.h"
#include "gyre/log.h"
#include "gyre/overwrite.h"
#include "gyre/version.h"
#include "weights.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

gyre_status cli_export_check_file(const char *output, const char *format, size_t at) {
    if (output == NULL) {
        return gyre_fail(GYRE_EUSAGE, "`gyre export %s` needs -o FILE, the file that it writes",
                         format);
    }
    GYRE_TRY(at == 0 ? gyre_overwrite_check_signed(output)
                     : gyre_overwrite_check_signed_at(output, at));
    return gyre_file_try(output);
}

gyre_status cli_export_open(const char *source, gyre_weights_choice weights, gyre_trained *out) {
    GYRE_TRY(gyre_trained_open(source, weights, out));
    const gyre_snapshot *s = &out->snapshot;
    if (s->average[0] == '\0') return GYRE_OK;
    gyre_say("checkpoint %s%s", out->checkpoint, cli_weights_text(true, s->averaged));
    return GYRE_OK;
}

static char *names_as_json(const gyre_class_names *names) {
    gyre_json *j = gyre_json_begin();
    gyre_json_enter_list(j, "names");
    for (int i = 0; i < names->count; i++) gyre_json_add_text(j, NULL, names->names[i]);
    gyre_json_leave(j);
    gyre_json_value *v = gyre_json_end_value(j);
    char *text = v == NULL ? NULL : gyre_json_print(gyre_json_get(v, "names"), false);
    gyre_json_close(v);
    return text;
}

gyre_status cli_export_notes_of(const gyre_trained *t, const char *format, cli_export_notes *out) {
    out->class_names = names_as_json(&t->names);
    if (out->class_names == NULL) return gyre_no_memory("the names of classes");
    snprintf(out->hash, sizeof out->hash, "%016" PRIx64, t->snapshot.config_hash);
    if (format != NULL) out->list[out->count++] = (gyre_note){"format", format};
    out->list[out->count++] = (gyre_note){"gyre.version", GYRE_VERSION};
    out->list[out->count++] = (gyre_note){"gyre.network", t->snapshot.model};
    out->list[out->count++] = (gyre_note){"gyre.config_hash", out->hash};
    if (t->snapshot.element[0] != '\0') {
        out->list[out->count++] = (gyre_note){"gyre.element", t->snapshot.element};
    }
    if (t->snapshot.average[0] != '\0') {
        out->list[out->count++] =
            (gyre_note){"gyre.weights", t->snapshot.averaged ? "average" : "last"};
    }
    if (t->names.count > 0) {
        out->list[out->count++] = (gyre_note){"gyre.class_names", out->class_names};
    }
    return GYRE_OK;
}

void cli_export_notes_free(cli_export_notes *n) {
    free(n->class_names);
}
