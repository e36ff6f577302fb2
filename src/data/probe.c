/* Reading the layout of an untrusted file, in a process of its own (gyre/child.h). */
#include "layout.h"

#include "gyre/child.h"
#include "gyre/size.h"
#include <stdio.h>
#include <string.h>

typedef struct {
    int32_t status;
    char text[GYRE_ERROR_MAX];
    data_layout layout;
} answer;

static bool probe(const char *path, int socket) {
    static answer a; /* its padding is zero */
    a.status = (int32_t)data_layout_read(path, &a.layout);
    snprintf(a.text, sizeof a.text, "%s", gyre_error_text());
    return gyre_child_put(socket, &a, sizeof a) && a.status == GYRE_OK;
}

static const gyre_child_task task = {"gyre-probe-dataset", "HDF5", probe};

__attribute__((constructor)) static void serve(int argc, char **argv) {
    gyre_child_serve(argc, argv, &task);
}

static bool values_fit(int h, int w, int c) {
    size_t values = 0;
    return h >= 1 && w >= 1 && c >= 1 && gyre_size_multiply((size_t)h, (size_t)w, &values) &&
           gyre_size_multiply(values, (size_t)c, &values) && values <= INT32_MAX;
}

static bool plausible_part(const data_layout_part *p) {
    const gyre_target *t = &p->target;
    bool label = t->h == 0 && t->w == 0 && t->c == 0 && !t->classes;
    bool classes = label || t->classes;
    bool stored = gyre_element_of_targets(p->target_stored) &&
                  (p->target_stored == GYRE_ELEMENT_I32 || !classes);
    bool fits = data_is_picture(p->element, p->h, p->w, p->c) || values_fit(p->h, p->w, p->c);
    bool halves = !p->latents || p->c % 2 == 0;
    return p->count > 0 && halves && p->count <= INT64_MAX / 4 && fits &&
           gyre_element_of_samples(p->element) && stored &&
           (label || (values_fit(t->h, t->w, t->c) && (!t->classes || t->c == 1)));
}

/* What the parent relies on; the child's word is not taken for it. */
static bool plausible(const data_layout *l) {
    bool named = l->names >= 1 && l->names <= GYRE_CLASSES_MAX && l->name_size >= 1 &&
                 l->name_size <= DATA_NAME_BYTES_MAX;
    bool table = l->contexts >= 2 && l->contexts <= GYRE_CLASSES_MAX &&
                 values_fit(1, l->tokens, l->context_channels) &&
                 (l->context_element == GYRE_ELEMENT_F16 || l->context_element == GYRE_ELEMENT_F32);
    bool ok = (l->names == 0 || named) && (l->contexts == 0 || table) &&
              l->parts[DATA_PART_TRAIN].count > 0;
    for (int i = 0; i < DATA_PARTS; i++) {
        ok = ok && (l->parts[i].count == 0 || plausible_part(&l->parts[i]));
    }
    return ok;
}

static gyre_status ask(const char *path, int seconds, bool fresh, gyre_child *child, answer *out) {
    GYRE_TRY(gyre_child_start(&task, path, seconds, fresh, child));
    GYRE_TRY(gyre_child_receive(child, out, sizeof *out));
    out->text[sizeof out->text - 1] = '\0';
    return GYRE_OK;
}

gyre_status data_layout_probe(const char *path, int seconds, data_layout *out) {
    answer a;
    gyre_child child = {0};
    gyre_status status = ask(path, seconds, false, &child, &a);
    if (status != GYRE_OK && child.used) status = ask(path, seconds, true, &child, &a);
    if (status == GYRE_OK && a.status == GYRE_OK && plausible(&a.layout)) {
        gyre_child_rest(&child);
        *out = a.layout;
        out->unread[sizeof out->unread - 1] = '\0';
        return GYRE_OK;
    }
    gyre_child_end(&child);
    GYRE_TRY(status);
    if (a.status != GYRE_OK) return gyre_fail(GYRE_EIO, "%s", a.text);
    return gyre_fail(GYRE_EIO, "'%s' is damaged: HDF5 gave a layout that cannot be", path);
}
