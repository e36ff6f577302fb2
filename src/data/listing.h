/* The pictures of a folder, in the order of their names' bytes, with class and part. Internal to
 * src/data. */
#ifndef GYRE_DATA_LISTING_H
#define GYRE_DATA_LISTING_H

#include "gyre/dataset.h"
#include "layout.h"

enum { DATA_OTHER_FORMATS = 11 };
/* Endings of pictures that are not read. */
extern const char *const data_other_formats[DATA_OTHER_FORMATS];

typedef struct {
    char *path;     /* below the folder */
    char *kind;     /* its class's name, as it was found; NULL: it has a problem from the start */
    char *problem;  /* why it cannot be read; NULL: nothing is known against it */
    size_t kind_at; /* where its class's folder begins in the path */
    int32_t label;
    int part;
    int64_t row;      /* in its part */
    uint64_t content; /* XXH3-64 of its image, once it was read without a problem */
} data_listed;

typedef struct {
    data_listed *files;
    size_t count, room;
    size_t others, repeats;             /* files that are no pictures by name; folders met again */
    char *other, *repeat;               /* the first of them */
    size_t formats[DATA_OTHER_FORMATS]; /* of the others: pictures by the endings of their names */
    size_t hollow;                      /* folders with nothing in them */
    char *hollow_name;                  /* the first of them */
    char (*names)[GYRE_NAME_SIZE];
    int classes;
    int64_t counts[DATA_PARTS]; /* files without a problem */
} data_listing;

/* Pictures by name below `dir`, hidden ones aside; folders behind symbolic links too, each folder
 * once. What cannot be read is listed with its problem. GYRE_EIO when `dir` itself cannot. */
gyre_status data_listing_walk(const char *dir, data_listing *l);

/* Class and part by the folders that a file lies in; `no_parts`: class alone. GYRE_EUSAGE when
 * there are none, or they are not clear. */
gyre_status data_listing_by_folder(const char *dir, bool no_parts, data_listing *l);

/* Instead of a walk: what the lines "file,label" of a CSV file name (RFC 4180); parts by folders,
 * when there are several and not `no_parts`. GYRE_EIO naming the line. */
gyre_status data_listing_by_csv(const char *dir, const char *csv, bool no_parts, data_listing *l);

/* Numbers the classes: by value when all names are numbers, else by their bytes. GYRE_EUSAGE when
 * there is one, or a name is too long. */
gyre_status data_listing_number(data_listing *l);

/* Sets aside floor(fraction n + 0.5) of each class's n training files, at most n - 1: those whose
 * keyed draws are the least, so that a file more or less hardly moves others. They become /test,
 * or /validation where there is a /test. GYRE_EUSAGE when none could be. */
gyre_status data_listing_split(data_listing *l, double fraction, uint64_t seed);

/* Counts files and gives them their rows; the last step. */
void data_listing_place(data_listing *l);

void data_listing_close(data_listing *l);

/* For what fills a listing: takes over the texts of `file`, also in a failure. */
gyre_status data_listing_add(data_listing *l, data_listed file);
void data_listing_sort(data_listing *l);
/* Whether a file's name ends like a picture's. */
bool data_is_picture_name(const char *name);

/* Marks a file with the recorded error. */
gyre_status data_listed_fail(data_listed *file);

/* After their pictures were read: warns of images that are held out and trained on, and of those
 * that are in two classes, with how many and the first by name. GYRE_EDEVICE: out of memory. */
gyre_status data_listing_tell_repeated(const data_listing *l);

#endif
