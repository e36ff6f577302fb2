/* A layer that reads a whole picture has weights for pictures of one size. With others it would be
 * drawn anew, as layers of another number of classes are, and the network would know less than its
 * owner thinks. */
#include "import_size.h"

bool import_is_of_classes(const import_file *f, const import_item *item) {
    const h5_array *a = item->array;
    const gyre_h5_entry *e = item->entry;
    bool same = a->ndim == e->ndim && a->dims[0] == f->model->classes;
    for (int i = 1; same && i < a->ndim; i++) same = e->dims[i] == (uint64_t)a->dims[i];
    return same;
}

static gyre_status refuse(const import_file *f, const import_item *item) {
    const gyre_onnx *o = f->file.onnx;
    const gyre_model *m = f->model;
    char there[64], here[64];
    gyre_h5_shape(item->entry, there, sizeof there);
    h5_array_shape(item->array, here, sizeof here);
    return gyre_fail(GYRE_EUSAGE,
                     "%s is %s in '%s', whose pictures are of %d x %d x %d; those here, of %d x %d "
                     "x %d, need %s: bring them to the file's size (--size of `gyre data import`, "
                     "data.augment.resized_crop), or export the network with pictures of this size",
                     item->array->name, there, f->path, o->h, o->w, o->c, m->h, m->w, m->c, here);
}

gyre_status import_check_size(const import_file *f) {
    const gyre_onnx *o = f->file.onnx;
    const gyre_model *m = f->model;
    if (o == NULL || (o->h == m->h && o->w == m->w && o->c == m->c)) return GYRE_OK;
    for (int i = 0; i < f->count; i++) {
        const import_item *item = &f->items[i];
        if (item->fate == IMPORT_OTHER_SHAPE && !import_is_of_classes(f, item))
            return refuse(f, item);
    }
    return GYRE_OK;
}
