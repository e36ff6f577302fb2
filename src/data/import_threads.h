/* All pictures of a listing into the rows of a dataset file, on several threads. Internal to
 * src/data. */
#ifndef GYRE_DATA_IMPORT_THREADS_H
#define GYRE_DATA_IMPORT_THREADS_H

#include "listing.h"
#include "picture.h"
#include "write.h"

typedef struct {
    const char *dir;
    data_listing *list; /* a file that cannot be read gets its problem */
    const data_rows *rows;
    data_picture_form form;
    int threads; /* 0: one for each core that this process may use */
    bool quiet;
} data_import_job;

/* GYRE_EUSAGE: a picture's size is not job->form's, the first such picture is named. Other errors
 * are not a picture's own: memory, the output, or GYRE_EINTERRUPTED after SIGINT or SIGTERM. */
gyre_status data_import_pictures(const data_import_job *job);

#endif
