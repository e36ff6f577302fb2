/* TensorBoard's events as protobuf messages. Internal to src/runfile. */
#ifndef GYRE_RUNFILE_EVENT_H
#define GYRE_RUNFILE_EVENT_H

#include "gyre/json.h"
#include "gyre/wire.h"

/* `wall`: seconds since 1970; `step`: completed updates. Each is the content of a record. */

gyre_wire event_version(double wall);
gyre_wire event_writer(double wall, const char *program);
/* Points of `step` and later that the reader has, of files before, are void. */
gyre_wire event_restart(double wall, int64_t step);

/* Points of curves. */
typedef struct {
    const char *tag;
    double value;
} event_scalar;
gyre_wire event_scalars(double wall, int64_t step, const event_scalar *scalars, int count);

/* A PNG file, which begins with its size. */
gyre_wire event_picture(double wall, int64_t step, const char *tag, const char *png, size_t size);

/* A text that is shown as it stands. */
gyre_wire event_text(double wall, int64_t step, const char *tag, const char *text);

/* Hyper-parameters: the numbers, flags and short texts of a config, by their key paths. */
gyre_wire event_session_begin(double wall, const gyre_json_value *config);
gyre_wire event_session_end(double wall, bool success);

#endif
