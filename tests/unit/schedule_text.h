/* For tests of schedules given as the text of a config. After cmocka.h. */
#ifndef SCHEDULE_TEXT_H
#define SCHEDULE_TEXT_H

#include "config_text.h"
#include "gyre/schedule.h"
#include <string.h>

#define RATES "\"base_lr\": 0.1, \"max_lr\": 1"

static config_file file;

static inline gyre_settings *read_schedule(const char *schedule, const char *length) {
    char text[2048];
    gyre_settings *set;
    snprintf(text, sizeof text, "{\"schedule\": {%s}%s%s}", schedule,
             length[0] != '\0' ? ", \"length\": " : "", length);
    if (config_open_bytes(&file, text, strlen(text), NULL, &set) != GYRE_OK) {
        fail_msg("%s: %s", text, gyre_error_text());
    }
    return set;
}

static inline int set_up(void **state) {
    (void)state;
    return config_file_make(&file);
}
static inline int tear_down(void **state) {
    (void)state;
    return unlink(file.path);
}

#endif
