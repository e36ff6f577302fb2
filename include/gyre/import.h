/* Files of other formats become datasets: the official files of CIFAR, those of MNIST (IDX), and
 * folders of JPEG and PNG files. The result does not depend on the number of threads. */
#ifndef GYRE_IMPORT_H
#define GYRE_IMPORT_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stdint.h>

/* `dir` holds the official files. `force`: an existing output is replaced. */
gyre_status gyre_import_cifar(const char *dir, const char *output, bool force);
gyre_status gyre_import_idx(const char *dir, const char *output, bool force);

/* How a picture comes to the wanted height and width: its middle is cut out (as Pillow's
 * ImageOps.fit); all of it is kept and white bars are added; or its sides are stretched. */
typedef enum { GYRE_FIT_CROP, GYRE_FIT_PAD, GYRE_FIT_STRETCH } gyre_fit;

typedef struct {
    int h, w;           /* of the dataset's images; 0: that which all pictures have */
    int c;              /* 3: RGB; 1: gray (ITU-R BT.601 luma) */
    gyre_fit fit;       /* how they come to that size */
    const char *labels; /* CSV file of lines "file,label"; NULL: each class has a folder */
    double split;       /* part of each class's training images to set aside; 0: none */
    uint64_t seed;      /* of that choice */
    int threads;        /* 0: one for each core that this process may use */
    bool strict;        /* a file that cannot be read is an error */
    bool quiet;         /* no progress */
    bool no_parts;      /* folders called train or test are classes, too */
    bool force;         /* an existing output is replaced */
} gyre_folder_options;

/* JPEG and PNG files; the result is a pure function of the files' names and contents and of the
 * options: not of the order in which the file system lists them.
 *
 * Classes are DIR/CLASS/..., or DIR/train/CLASS/..., DIR/test/CLASS/... (docs/data.md has the
 * rules). Files that cannot be read are told on stderr and left out. Errors: GYRE_EUSAGE when the
 * options do not suit the folder, or it has one class; GYRE_EIO; GYRE_EINTERRUPTED after SIGINT or
 * SIGTERM, with nothing written. */
gyre_status gyre_import_folder(const char *dir, const char *output,
                               const gyre_folder_options *options);

/* A .npy file, or "FILE.h5:/path" for a dataset of an HDF5 file. */
typedef struct {
    const char *samples, *targets; /* NULL: no such part */
} gyre_array_names;

/* Samples are (N), (N, C), (N, H, W) or (N, H, W, C) of uint8, uint16, int16, float16, float32 or
 * float64 (which becomes float32). Targets are one class each: integers (N); one for each pixel:
 * integers (N, H, W); or values: floats, or integers of another shape. `validation` and `test` may
 * be NULL. Errors: GYRE_EUSAGE, GYRE_EIO. */
gyre_status gyre_import_array(const gyre_array_names *train, const gyre_array_names *validation,
                              const gyre_array_names *test, const char *output, bool force);

/* "1.2.13", "2.1.5" and "1.6.39", for doctor. */
const char *gyre_zlib_version(void);
const char *gyre_jpeg_version(void);
const char *gyre_png_version(void);

#endif
