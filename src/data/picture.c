/* From a file's bytes to an image. A picture is cut and resized as it lies in the file, with the
 * target lying the same way, and only the result is turned: a photograph that a camera wrote
 * sideways, and its upright copy, give the same image. */
#include "picture.h"

#include "decode.h"
#include "resize.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the file */

static gyre_status read_all(int fd, uint8_t *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, bytes + done, size - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            return gyre_fail(GYRE_EIO, "cannot be read: %s",
                             n < 0 ? strerror(errno) : "it became shorter meanwhile");
        }
        done += (size_t)n;
    }
    return GYRE_OK;
}

/* free() the bytes. */
static gyre_status read_file(const char *path, uint8_t **bytes, size_t *size) {
    const off_t most = 1 << 29;
    struct stat st = {0};
    gyre_status status = GYRE_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe would wait for a writer */
    if (fd < 0) return gyre_fail(GYRE_EIO, "cannot be opened: %s", strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        status = gyre_fail(GYRE_EIO, "is no regular file");
    } else if (st.st_size == 0) {
        status = gyre_fail(GYRE_EIO, "is empty");
    } else if (st.st_size > most) {
        status = gyre_fail(GYRE_EIO, "has %lld bytes, more than the %lld taken from a picture file",
                           (long long)st.st_size, (long long)most);
    }
    if (status == GYRE_OK) {
        *size = (size_t)st.st_size;
        *bytes = malloc(*size);
        status = *bytes != NULL ? read_all(fd, *bytes, *size) : gyre_no_memory("%zu bytes", *size);
    }
    close(fd);
    return status;
}

/* ---- its kind */

typedef gyre_status decode_function(const uint8_t *, size_t, const data_picture_sink *);

/* The kinds of pictures, by what stands at byte `at`. Kinds that gyre does not read are named too,
 * so that a message can name them. */
static const struct {
    decode_function *decode;
    const char *name, *mark;
    size_t at, length;
} kinds[] = {
    {data_jpeg_decode, "JPEG", "\xff\xd8\xff", 0, 3},
    {data_png_decode, "PNG", "\x89PNG\r\n\x1a\n", 0, 8},
    {NULL, "a GIF", "GIF8", 0, 4},
    {NULL, "a WebP", "WEBP", 8, 4},
    {NULL, "a TIFF", "II*\0", 0, 4},
    {NULL, "a TIFF", "MM\0*", 0, 4},
    {NULL, "an AVIF", "ftypavif", 4, 8},
    {NULL, "a HEIC", "ftyphei", 4, 7},
    {NULL, "a HEIC", "ftypmif1", 4, 8},
    {NULL, "a JPEG XL", "\xff\x0a", 0, 2},
    {NULL, "a JPEG 2000", "\0\0\0\x0cjP", 0, 6},
    {NULL, "a BMP", "BM", 0, 2},
};

static gyre_status decode(const uint8_t *bytes, size_t size, const data_picture_sink *sink) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t end = kinds[i].at + kinds[i].length;
        if (size < end || memcmp(bytes + kinds[i].at, kinds[i].mark, kinds[i].length) != 0)
            continue;
        if (kinds[i].decode != NULL) return kinds[i].decode(bytes, size, sink);
        return gyre_fail(GYRE_EIO, "is %s picture; JPEG and PNG are read", kinds[i].name);
    }
    return gyre_fail(GYRE_EIO, "is no picture: it begins neither as JPEG nor as PNG");
}

static gyre_status decode_file(const char *path, const data_picture_sink *sink) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    gyre_status status = read_file(path, &bytes, &size);
    if (status == GYRE_OK) status = decode(bytes, size, sink);
    free(bytes);
    return status;
}

/* ---- its size */

/* From 5 on rows and columns change places. */
static bool is_sideways(int orientation) {
    return orientation >= 5;
}

typedef struct {
    int h, w;
} dimensions;

static dimensions turned(int h, int w, int orientation) {
    return is_sideways(orientation) ? (dimensions){w, h} : (dimensions){h, w};
}

static gyre_status take_size(void *self, int h, int w, int orientation) {
    *(dimensions *)self = turned(h, w, orientation);
    return GYRE_OK;
}

gyre_status data_picture_size(const char *path, int *h, int *w) {
    dimensions d = {0};
    const data_picture_sink sink = {.begin = take_size, .self = &d};
    GYRE_TRY(decode_file(path, &sink));
    *h = d.h;
    *w = d.w;
    return GYRE_OK;
}

/* ---- its pixels */

typedef struct {
    const data_picture_form *form;
    int orientation;
    data_resize_shape shape; /* as the picture lies in the file */
    data_resize *resize;
    uint8_t *stored; /* the result as the picture lies in the file */
} reading;

/* size * part / whole, rounded, at least 1. */
static int scaled(int64_t size, int64_t part, int64_t whole) {
    int64_t rounded = (2 * size * part + whole) / (2 * whole);
    return rounded < 1 ? 1 : (int)rounded;
}

/* What of h x w is taken, and what it becomes, for a target of out_h x out_w. */
static data_resize_shape fit(gyre_fit how, int h, int w, int out_h, int out_w) {
    data_resize_shape s = {h, w, out_h, out_w, h, w, 3};
    bool wide = (int64_t)w * out_h >= (int64_t)h * out_w;
    if (how == GYRE_FIT_CROP && wide) s.span_w = (double)h * out_w / out_h;
    if (how == GYRE_FIT_CROP && !wide) s.span_h = (double)w * out_h / out_w;
    if (how == GYRE_FIT_PAD && wide) s.out_h = scaled(out_w, h, w);
    if (how == GYRE_FIT_PAD && !wide) s.out_w = scaled(out_h, w, h);
    return s;
}

static gyre_status begin(void *self, int h, int w, int orientation) {
    reading *r = self;
    const data_picture_form *form = r->form;
    dimensions seen = turned(h, w, orientation), out = turned(form->h, form->w, orientation);
    if (form->exact && (seen.h != form->h || seen.w != form->w)) {
        return gyre_fail(GYRE_EUSAGE,
                         "has %d x %d pixels, another picture %d x %d; --size HxW gives all of "
                         "them one size",
                         seen.h, seen.w, form->h, form->w);
    }
    r->orientation = orientation;
    r->shape = fit(form->fit, h, w, out.h, out.w);
    r->stored = malloc((size_t)r->shape.out_h * (size_t)r->shape.out_w * 3);
    if (r->stored == NULL) return gyre_no_memory("a picture of %d x %d", out.h, out.w);
    GYRE_TRY(data_resize_open(&r->shape, &r->resize));
    data_resize_begin(r->resize, &r->shape, r->stored);
    return GYRE_OK;
}

static void take_row(void *self, const uint8_t *rgb) {
    data_resize_row(((reading *)self)->resize, rgb);
}

/* ITU-R BT.601 luma; the weights have the sum 2^16, so gray stays what it is. */
static uint8_t gray_of(const uint8_t *rgb) {
    return (uint8_t)((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
}

/* The result upright, in the middle of a white image. EXIF tells where the first row and the first
 * column of what is stored are seen: rows from below for 3, 4, 6, 7, columns from the right for
 * 2, 3, 7, 8; and sideways ones are transposed first. */
static void place(const reading *r, uint8_t *out) {
    static const bool rows_back[9] = {[3] = 1, [4] = 1, [6] = 1, [7] = 1};
    static const bool columns_back[9] = {[2] = 1, [3] = 1, [7] = 1, [8] = 1};
    const data_picture_form *form = r->form;
    const data_resize_shape *s = &r->shape;
    dimensions seen = turned(s->out_h, s->out_w, r->orientation);
    int top = (form->h - seen.h) / 2, left = (form->w - seen.w) / 2;
    memset(out, 255, (size_t)form->h * (size_t)form->w * (size_t)form->c);
    for (int y = 0; y < seen.h; y++) {
        uint8_t *to = out + ((size_t)(top + y) * (size_t)form->w + (size_t)left) * (size_t)form->c;
        for (int x = 0; x < seen.w; x++, to += form->c) {
            dimensions at = turned(y, x, r->orientation);
            if (rows_back[r->orientation]) at.h = s->out_h - 1 - at.h;
            if (columns_back[r->orientation]) at.w = s->out_w - 1 - at.w;
            const uint8_t *rgb = r->stored + 3 * ((size_t)at.h * (size_t)s->out_w + (size_t)at.w);
            if (form->c == 1)
                to[0] = gray_of(rgb);
            else
                memcpy(to, rgb, 3);
        }
    }
}

gyre_status data_picture_read(const char *path, const data_picture_form *form, uint8_t *out) {
    reading r = {.form = form};
    const data_picture_sink sink = {.begin = begin, .row = take_row, .self = &r};
    gyre_status status = decode_file(path, &sink);
    if (status == GYRE_OK) place(&r, out);
    data_resize_close(r.resize);
    free(r.stored);
    return status;
}
