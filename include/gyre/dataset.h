/* Datasets in HDF5: one file, or several behind a manifest as if they were one.
 *
 * /train|test|validation/images u8 (N,H,W,C) contiguous, or arrays of up to four dimensions of u8,
 * u16, i16, f16 or f32, or latents f16 or f32 (N,H,W,2 C), means and deviations; /.../labels i32
 * (N), or targets: i32 (N) the same, i32 (N,H,W) a class for each pixel, f32 of one to four
 * dimensions values, as are i32 (N,K) and (N,H,W,K); /names fixed-length UTF-8. Or /.../contexts
 * i32 (N), rows of /contexts f16 or f32 (M,tokens,channels): they are the labels then, of M
 * classes. Rows are never read through HDF5, but from H5Dget_offset on, when they are needed;
 * labels are in memory. Files written by gyre carry a 512-byte user block with the XXH3-128 of the
 * rest. HDF5 reads the layout in a child process (gyre/child.h), because damaged files can hang or
 * crash the library. */
#ifndef GYRE_DATASET_H
#define GYRE_DATASET_H

#include "gyre/contexts.h"
#include "gyre/element.h"
#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GYRE_NAME_SIZE = 64,          /* bytes of a class name, with its zero */
    GYRE_DATASET_LARGE = 1 << 30, /* bytes; a larger dataset is not read as a whole to open it */
    GYRE_SAMPLED_ROWS = 16384     /* of a larger one, for statistics */
};

typedef struct {
    int64_t count; /* 0: the part is absent */
    int h, w, c;
    gyre_element element;
    bool latents;          /* means, then deviations, in twice the channels */
    const uint8_t *images; /* (count, h, w, c) in memory, or NULL: in files, by `pieces` */
    const int32_t *labels; /* (count), each in 0..classes-1 (checked at open); NULL: `targets` */
    const struct gyre_pieces *pieces;
    gyre_target target;
    gyre_element target_stored; /* GYRE_ELEMENT_I32 or F32 */
    const uint8_t *targets;     /* (count, values) in memory, or NULL: by `target_pieces` */
    const struct gyre_pieces *target_pieces;
} gyre_images;

/* Bytes of an image. */
static inline size_t gyre_images_row(const gyre_images *p) {
    return (size_t)p->h * (size_t)p->w * (size_t)p->c * gyre_element_size(p->element);
}

/* Rows first..first+count-1, into `out`. Any thread. GYRE_EIO: the file was cut short since it was
 * opened, or cannot be read. */
gyre_status gyre_images_read(const gyre_images *p, int64_t first, int64_t count, uint8_t *out);

/* Bytes first..first+bytes-1 of one row likewise. */
gyre_status gyre_image_read_part(const gyre_images *p, int64_t row, size_t first, size_t bytes,
                                 uint8_t *out);

/* Their targets likewise, (count, values) as a network's loss takes them (gyre_batch). */
gyre_status gyre_targets_read(const gyre_images *p, int64_t first, int64_t count, void *out);

/* Is the dataset larger than GYRE_DATASET_LARGE? Then each row is best announced some time before
 * it is read, so that the disk has many to fetch at once. */
bool gyre_images_large(const gyre_images *p);
void gyre_images_expect(const gyre_images *p, int64_t row);

/* What classes are called; count 0: they have numbers alone. */
typedef struct {
    int count;
    char (*names)[GYRE_NAME_SIZE]; /* (count) */
} gyre_class_names;

typedef struct gyre_dataset gyre_dataset;

/* `path` is a dataset file or a manifest. Checks presence, types, shapes, sizes against the files,
 * and every label. Up to GYRE_DATASET_LARGE bytes every byte is read and held against the
 * checksums; of a larger one the files' own word is taken for them, and for the content hash where
 * they tell one. Errors: GYRE_EIO, naming file, dataset, expected and found, index. */
gyre_status gyre_dataset_open(const char *path, gyre_dataset **out);
/* The same, but every byte is read whatever the size. */
gyre_status gyre_dataset_verify(const char *path, gyre_dataset **out);
void gyre_dataset_close(gyre_dataset *d);

const gyre_images *gyre_dataset_train(const gyre_dataset *d);
const gyre_images *gyre_dataset_test(const gyre_dataset *d);
const gyre_images *gyre_dataset_validation(const gyre_dataset *d);
/* "train (800 images) and validation (200)": the parts that there are, for messages. */
enum { GYRE_PARTS_TEXT = 128 };
void gyre_dataset_parts_text(const gyre_dataset *d, char out[GYRE_PARTS_TEXT]);
/* Owned by the dataset; NULL: it has none. */
const gyre_contexts *gyre_dataset_contexts(const gyre_dataset *d);
int gyre_dataset_classes(const gyre_dataset *d); /* or the values of a position of the target */
/* Are all targets 0 to 1, as `loss` takes them? Reads them all. GYRE_EUSAGE, GYRE_EIO. */
gyre_status gyre_dataset_yes_or_no(const gyre_dataset *d, const char *path, const char *loss);
/* (classes): 1 where a class occurs in the training part, plus 2 where in another; NULL: targets
 * are values, or contexts. */
const uint8_t *gyre_dataset_classes_seen(const gyre_dataset *d);
/* Are there classes without a training image? Then one sentence on which, and what to do. */
enum { GYRE_GAPS_TEXT = 768 };
bool gyre_dataset_gaps(const gyre_dataset *d, char *out, size_t size);
/* Warns of those, once for a dataset: a study opens it for each cell. Not from several threads. */
void gyre_dataset_warn_gaps(const gyre_dataset *d);
/* A warning, once, where a file has images in a group that is no part, as /val. */
void gyre_dataset_warn_unread(const gyre_dataset *d);
/* Warns of class names that look alike, or like a missing value. */
void gyre_dataset_warn_names(const gyre_dataset *d);
const char *gyre_dataset_class_name(const gyre_dataset *d, int label); /* "3" when unnamed */
/* All of them, owned by the dataset; none where each is its class's number. */
gyre_class_names gyre_dataset_class_names(const gyre_dataset *d);
/* Both name classes, and not the same ones: the first difference as text, "class 3 is 'dog' in
 * b.h5, 'cat' in a.h5". False: they agree, or one of them names none. */
bool gyre_class_names_differ(const char *a_place, const gyre_class_names *a, const char *b_place,
                             const gyre_class_names *b, char *out, size_t size);
uint64_t gyre_dataset_hash(const gyre_dataset *d); /* of all images and labels */
bool gyre_dataset_sealed(const gyre_dataset *d);   /* written by gyre, each file of it */
int gyre_dataset_files(const gyre_dataset *d);     /* 0: no manifest */

/* Writes a manifest of dataset files, whose rows then count as one dataset's in this order. Reads
 * every byte of them. Their names are kept relative to the manifest's folder where they lie below
 * it. Errors: GYRE_EIO; shapes and class names must agree. */
gyre_status gyre_manifest_write(const char *path, char *const *files, int count, bool force);

/* The samples that a run sees: rows of a part, through an index when it was split. */
typedef struct {
    const gyre_images *images;
    const uint32_t *rows; /* NULL: rows 0..count-1 */
    int64_t count;
    int size; /* side of the squares that they are made into (gyre/fitter.h); 0: as stored */
} gyre_view;

/* The first value of a view's samples that is no finite number: value `at` of `row` of the part.
 * Targets are checked when a dataset is opened; of samples that costs a pass, so importers look,
 * and whoever comes to a loss that is no number. GYRE_EIO. */
typedef struct {
    bool found;
    int64_t row;
    size_t at;
    float value;
} gyre_not_finite;
gyre_status gyre_view_not_finite(const gyre_view *view, gyre_not_finite *out);

/* Statistics of the training samples as they are stored, a picture's on the scale 0..255: of
 * integers from exact sums, of floats from sums in double in the order of the rows. Where the
 * samples are more than GYRE_DATASET_LARGE bytes, of GYRE_SAMPLED_ROWS of them at equal distances.
 */
typedef struct {
    float *mean_image; /* (h, w, c) */
    float *mean, *dev; /* (c) per channel; deviation of the population, 1 when 0 */
} gyre_pixel_stats;

/* What training and evaluation read: the training view, the view that is evaluated (count 0 with
 * validation "none"), and the statistics of the training view. */
typedef struct {
    gyre_view train, validation;
    gyre_pixel_stats stats;
    uint32_t *split_rows, *subset_rows; /* owned storage behind the views */
} gyre_samples;

/* Validation samples of a split of n training samples, n >= 2: floor(fraction n + 0.5), at least 1
 * and at most n - 1. */
int64_t gyre_split_count(int64_t n, double fraction);

/* Applies data.validation: "test" and "validation" evaluate that part, {split: f} a keyed
 * gyre_split_count of the training part. Of what is left data.subset
 * takes the first places of one keyed permutation, so that smaller subsets lie in larger ones.
 * Errors: GYRE_EUSAGE. */
gyre_status gyre_samples_open(const gyre_dataset *d, const gyre_data_settings *settings,
                              uint64_t seed, gyre_samples *out);
void gyre_samples_close(gyre_samples *s);

/* Do explicit numbers of data.augment.normalize fit these samples? GYRE_EUSAGE. */
gyre_status gyre_normalization_check(const gyre_data_settings *s, const gyre_images *images);

/* Writes a dataset file atomically; the importers end here. `validation` and `test` may have
 * count 0. `names` may be NULL. Refuses to overwrite an existing file unless `force`. */
typedef struct {
    gyre_images train, test, validation;
    int classes;
    char (*names)[GYRE_NAME_SIZE];
} gyre_dataset_content;
gyre_status gyre_dataset_write(const char *path, const gyre_dataset_content *content, bool force);

#endif
