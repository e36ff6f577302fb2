/* TensorBoard's events, field by field: event.proto, summary.proto and tensor.proto of TensorFlow,
 * plugin_data.proto of the plugin hparams. The numbers are those of the fields there. */
#include "event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EVENT_WALL_TIME = 1,
    EVENT_STEP = 2,
    EVENT_FILE_VERSION = 3,
    EVENT_SUMMARY = 5,
    EVENT_SESSION_LOG = 7,
    EVENT_SOURCE_METADATA = 10
};
enum { SESSION_LOG_STATUS = 1, SESSION_LOG_START = 1 };
enum { SOURCE_WRITER = 1 };
enum { SUMMARY_VALUE = 1 };
enum { VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_IMAGE = 4, VALUE_TENSOR = 8, VALUE_METADATA = 9 };
enum { IMAGE_HEIGHT = 1, IMAGE_WIDTH = 2, IMAGE_COLORSPACE = 3, IMAGE_BYTES = 4 };
enum { COLORSPACE_RGB = 3 };
enum { METADATA_PLUGIN = 1, METADATA_CLASS = 4, CLASS_TENSOR = 2 };
enum { PLUGIN_NAME = 1, PLUGIN_CONTENT = 2 };
enum { TENSOR_TYPE = 1, TENSOR_SHAPE = 2, TENSOR_STRING = 8, TYPE_FLOAT = 1, TYPE_STRING = 7 };
enum { SHAPE_DIM = 2, DIM_SIZE = 1 };
enum { HPARAMS_START = 3, HPARAMS_END = 4 };
enum { START_HPARAMS = 1, START_TIME = 5 };
enum { END_STATUS = 1, END_TIME = 2, STATUS_SUCCESS = 1, STATUS_FAILURE = 2 };
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum { JSON_NUMBER = 2, JSON_TEXT = 3, JSON_FLAG = 4 };

static gyre_wire event(double wall, int64_t step) {
    gyre_wire w = {0};
    gyre_wire_double(&w, EVENT_WALL_TIME, wall);
    if (step != 0) gyre_wire_integer(&w, EVENT_STEP, (uint64_t)step);
    return w;
}

gyre_wire event_version(double wall) {
    gyre_wire w = event(wall, 0);
    gyre_wire_text(&w, EVENT_FILE_VERSION, "brain.Event:2");
    return w;
}

gyre_wire event_writer(double wall, const char *program) {
    gyre_wire w = event(wall, 0), source = {0};
    gyre_wire_text(&source, SOURCE_WRITER, program);
    gyre_wire_message(&w, EVENT_SOURCE_METADATA, source);
    return w;
}

gyre_wire event_restart(double wall, int64_t step) {
    gyre_wire w = event(wall, step), log = {0};
    gyre_wire_integer(&log, SESSION_LOG_STATUS, SESSION_LOG_START);
    gyre_wire_message(&w, EVENT_SESSION_LOG, log);
    return w;
}

gyre_wire event_scalars(double wall, int64_t step, const event_scalar *scalars, int count) {
    gyre_wire w = event(wall, step), summary = {0};
    for (int i = 0; i < count; i++) {
        gyre_wire value = {0};
        gyre_wire_text(&value, VALUE_TAG, scalars[i].tag);
        gyre_wire_float(&value, VALUE_SIMPLE, (float)scalars[i].value);
        gyre_wire_message(&summary, SUMMARY_VALUE, value);
    }
    gyre_wire_message(&w, EVENT_SUMMARY, summary);
    return w;
}

/* A number of a PNG's header. */
static uint64_t be32(const char *bytes) {
    uint64_t value = 0;
    for (int i = 0; i < 4; i++) value = value << 8 | (unsigned char)bytes[i];
    return value;
}

gyre_wire event_picture(double wall, int64_t step, const char *tag, const char *png, size_t size) {
    enum { WIDTH_AT = 16, HEIGHT_AT = 20, HEADER = 24 };
    gyre_wire w = event(wall, step), summary = {0}, value = {0}, image = {0};
    if (size >= HEADER) {
        gyre_wire_integer(&image, IMAGE_HEIGHT, be32(png + HEIGHT_AT));
        gyre_wire_integer(&image, IMAGE_WIDTH, be32(png + WIDTH_AT));
    }
    gyre_wire_integer(&image, IMAGE_COLORSPACE, COLORSPACE_RGB);
    gyre_wire_bytes(&image, IMAGE_BYTES, png, size);
    gyre_wire_text(&value, VALUE_TAG, tag);
    gyre_wire_message(&value, VALUE_IMAGE, image);
    gyre_wire_message(&summary, SUMMARY_VALUE, value);
    gyre_wire_message(&w, EVENT_SUMMARY, summary);
    return w;
}

/* An event with one value, which a plugin of TensorBoard's shows. */
static gyre_wire plugin_event(double wall, int64_t step, const char *tag, const char *plugin,
                              gyre_wire content, gyre_wire tensor) {
    gyre_wire w = event(wall, step), summary = {0}, value = {0}, metadata = {0}, data = {0};
    gyre_wire_text(&data, PLUGIN_NAME, plugin);
    gyre_wire_message(&data, PLUGIN_CONTENT, content);
    gyre_wire_message(&metadata, METADATA_PLUGIN, data);
    gyre_wire_integer(&metadata, METADATA_CLASS, CLASS_TENSOR);
    gyre_wire_text(&value, VALUE_TAG, tag);
    gyre_wire_message(&value, VALUE_TENSOR, tensor);
    gyre_wire_message(&value, VALUE_METADATA, metadata);
    gyre_wire_message(&summary, SUMMARY_VALUE, value);
    gyre_wire_message(&w, EVENT_SUMMARY, summary);
    return w;
}

/* A vector of so many elements, which are still to come. */
static gyre_wire vector(int type, uint64_t size) {
    gyre_wire tensor = {0}, shape = {0}, dim = {0};
    if (size > 0) gyre_wire_integer(&dim, DIM_SIZE, size);
    gyre_wire_message(&shape, SHAPE_DIM, dim);
    gyre_wire_integer(&tensor, TENSOR_TYPE, (uint64_t)type);
    gyre_wire_message(&tensor, TENSOR_SHAPE, shape);
    return tensor;
}

gyre_wire event_text(double wall, int64_t step, const char *tag, const char *text) {
    gyre_wire shown = {0}, tensor = vector(TYPE_STRING, 1);
    for (const char *line = text; *line != '\0';) { /* Markdown's code: indented lines */
        size_t length = strcspn(line, "\n");
        gyre_wire_raw(&shown, "    ", 4);
        gyre_wire_raw(&shown, line, length);
        gyre_wire_raw(&shown, "\n", 1);
        line += length + (line[length] != '\0');
    }
    gyre_wire_message(&tensor, TENSOR_STRING, shown);
    return plugin_event(wall, step, tag, "text", (gyre_wire){0}, tensor);
}

/* ---- hyper-parameters */

enum { KEY_MAX = 128, TEXT_MAX = 100 }; /* of what is shown in a table */

/* A value of the config, if it is one that a table can show. */
static bool put_value(gyre_wire *w, const gyre_json_value *v) {
    const char *text = gyre_json_text(v);
    switch (gyre_json_kind_of(v)) {
    case GYRE_JSON_NUMBER: gyre_wire_double(w, JSON_NUMBER, gyre_json_number(v)); return true;
    case GYRE_JSON_FLAG: gyre_wire_integer(w, JSON_FLAG, gyre_json_is_true(v)); return true;
    case GYRE_JSON_TEXT:
        if (strlen(text) <= TEXT_MAX) gyre_wire_text(w, JSON_TEXT, text);
        return strlen(text) <= TEXT_MAX;
    default: return false;
    }
}

/* The members of an object, whose own path is `path`. */
static void put_members(gyre_wire *info, const gyre_json_value *object, const char *path) {
    const gyre_json_value *v = gyre_json_first(object);
    for (; v != NULL; v = gyre_json_next(v)) {
        char key[KEY_MAX];
        gyre_wire entry = {0}, value = {0};
        const char *dot = *path == '\0' ? "" : ".";
        int length = snprintf(key, sizeof key, "%s%s%s", path, dot, gyre_json_key(v));
        if (length < 0 || length >= KEY_MAX) continue;
        if (gyre_json_kind_of(v) == GYRE_JSON_OBJECT) put_members(info, v, key);
        if (!put_value(&value, v)) continue;
        gyre_wire_text(&entry, ENTRY_KEY, key);
        gyre_wire_message(&entry, ENTRY_VALUE, value);
        gyre_wire_message(info, START_HPARAMS, entry);
    }
}

static gyre_wire hparams_event(double wall, const char *tag, int field, gyre_wire info) {
    gyre_wire content = {0};
    gyre_wire_message(&content, field, info);
    return plugin_event(wall, 0, tag, "hparams", content, vector(TYPE_FLOAT, 0));
}

gyre_wire event_session_begin(double wall, const gyre_json_value *config) {
    gyre_wire info = {0};
    put_members(&info, config, "");
    gyre_wire_double(&info, START_TIME, wall);
    return hparams_event(wall, "_hparams_/session_start_info", HPARAMS_START, info);
}

gyre_wire event_session_end(double wall, bool success) {
    gyre_wire info = {0};
    gyre_wire_integer(&info, END_STATUS, success ? STATUS_SUCCESS : STATUS_FAILURE);
    gyre_wire_double(&info, END_TIME, wall);
    return hparams_event(wall, "_hparams_/session_end_info", HPARAMS_END, info);
}
