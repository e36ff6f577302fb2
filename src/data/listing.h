/* The pictures of a folder, in the order of their names' bytes, with class and part. Internal to
 * src/data. */
#ifndef GYRE_DATA_LISTING_H
#define GYRE_DATA_LISTING_H

#include "gyre/dataset.h"
#include "layout.h"

enum { GYRE_OTHER_FORMATS = 11 };
/* Endings of pictures that are not read. */
extern const char *const gyre_other_formats[GYRE_OTHER_FORMATS];

typedef struct {
    char *path;     /* below the folder */
    char *kind;     /* its class's name, as it was found; NULL: it has a problem from the start */
    char *problem;  /* why it cannot be read; NULL: nothing is known against it */
    size_t kind_at; /* where its class's folder begins in the path */
    int32_t label;
    int part;
    int64_t row;      /* in its part */
    uint64_t content; /* XXH3-64 of its image, once it was read without a problem */
} gyre_listed;

typedef struct {
    gyre_listed *files;
    size_t count, room;
    size_t others, repeats;             /* files that are no pictures by name; folders met again */
    char *other, *repeat;               /* the first of them */
    size_t formats[GYRE_OTHER_FORMATS]; /* of the others: pictures by the endings of their names */
    size_t hollow;                      /* folders with nothing in them */
    char *hollow_name;                  /* the first of them */
    char (*names)[GYRE_NAME_SIZE];
    int classes;
    int64_t counts[GYRE_PARTS]; /* files without a problem */
} gyre_listing;

/* Pictures by name below `dir`, hidden ones aside; folders behind symbolic links too, each folder
 * once. What cannot be read is listed with its problem. GYRE_EIO when `dir` itself cannot. */
gyre_status gyre_listing_walk(const char *dir, gyre_listing *l);

/* Class and part by the folders that a file lies in; `no_parts`: class alone. GYRE_EUSAGE when
 * there are none, or they are not clear. */
gyre_status gyre_listing_by_folder(const char *dir, bool no_parts, gyre_listing *l);

/* Instead of a walk: what the lines "file,label" of a CSV file name (RFC 4180); parts by folders,
 * when there are several and not `no_parts`. GYRE_EIO naming the line. */
gyre_status gyre_listing_by_csv(const char *dir, const char *csv, bool no_parts, gyre_listing *l);

/* Numbers the classes: by value when all names are numbers, else by their bytes. GYRE_EUSAGE when
 * there is one, or a name is too long. */
gyre_status gyre_listing_number(gyre_listing *l);

/* Sets aside floor(fraction n + 0.5) of each class's n training files, at most n - 1: those whose
 * keyed draws are the least, so that a file more or less hardly moves others. They become /test,
 * or /validation where there is a /test. GYRE_EUSAGE when none could be. */
gyre_status gyre_listing_split(gyre_listing *l, double fraction, uint64_t seed);

/* Counts files and gives them their rows; the last step. */
void gyre_listing_place(gyre_listing *l);

void gyre_listing_close(gyre_listing *l);

/* For what fills a listing: takes over the texts of `file`, also in a failure. */
gyre_status gyre_listing_add(gyre_listing *l, gyre_listed file);
void gyre_listing_sort(gyre_listing *l);
/* Whether a file's name ends like a picture's. */
bool gyre_is_picture_name(const char *name);

/* Marks a file with the recorded error. */
gyre_status gyre_listed_fail(gyre_listed *file);

#endif
