/* The grid: sizes first, then pictures and letters into one image. */
#include "gyre/grid.h"

#include "encode.h"
#include "font.h"
#include "gyre/overwrite.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHANNELS = 3,
    POINT = 2, /* pixels of a letter's point */
    ADVANCE = POINT * (FONT_WIDTH + 1),
    LINE = POINT * (FONT_HEIGHT + 2),
    MARGIN = 12,
    GAP = 4,
    SIDE = 96, /* pictures of half of it and less are enlarged */
    WHITE = 255,
    INK = 40,
    PIXELS_MOST = 1 << 28
};

/* An image, and where things are in it. */
typedef struct {
    size_t width, height;
    uint8_t *rgb;
    size_t zoom, left, top; /* left, top: of the first picture */
    size_t column, row;     /* from one picture to the next */
    size_t caption;         /* top of it */
} canvas;

/* ---- letters */

static bool is_letter(char c) {
    return ((unsigned char)c & 0xc0) != 0x80; /* else it continues the one before, in UTF-8 */
}

/* Of the longest line. */
static size_t text_width(const char *text) {
    size_t longest = 0, now = 0;
    for (; *text != '\0'; text++) {
        now = *text == '\n' ? 0 : now + is_letter(*text);
        if (now > longest) longest = now;
    }
    return longest * ADVANCE;
}

static size_t text_height(const char *text) {
    size_t lines = 1;
    for (; *text != '\0'; text++) lines += *text == '\n';
    return lines * LINE;
}

static void fill(const canvas *c, size_t y, size_t x, size_t side, const uint8_t *color) {
    for (size_t i = y; i < y + side && i < c->height; i++) {
        for (size_t j = x; j < x + side && j < c->width; j++) {
            memcpy(c->rgb + (i * c->width + j) * CHANNELS, color, CHANNELS);
        }
    }
}

static void draw_letter(const canvas *c, size_t y, size_t x, char letter) {
    static const uint8_t ink[CHANNELS] = {INK, INK, INK};
    for (int i = 0; i < FONT_HEIGHT; i++) {
        for (int j = 0; j < FONT_WIDTH; j++) {
            if (!font_point(letter, i, j)) continue;
            fill(c, y + POINT * (size_t)i, x + POINT * (size_t)j, POINT, ink);
        }
    }
}

static void draw_text(const canvas *c, size_t y, size_t x, const char *text) {
    size_t at = x;
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            y += LINE;
            at = x;
        } else if (is_letter(*text)) {
            draw_letter(c, y, at, *text);
            at += ADVANCE;
        }
    }
}

/* ---- pictures */

static void draw_picture(const canvas *c, const gyre_grid *g, size_t y, size_t x,
                         const uint8_t *picture) {
    for (int i = 0; i < g->h; i++) {
        for (int j = 0; j < g->w; j++) {
            const uint8_t *from = picture + (size_t)(i * g->w + j) * (size_t)g->c;
            const uint8_t color[CHANNELS] = {from[0], from[g->c == 1 ? 0 : 1],
                                             from[g->c == 1 ? 0 : 2]};
            fill(c, y + (size_t)i * c->zoom, x + (size_t)j * c->zoom, c->zoom, color);
        }
    }
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static gyre_status measure(const gyre_grid *g, canvas *c) {
    size_t h = (size_t)g->h, w = (size_t)g->w, side = larger(h, w);
    size_t labels = text_width(g->corner), head = 0, label = 0;
    for (int i = 0; i < g->rows; i++) {
        labels = larger(labels, text_width(g->labels[i]));
        label = larger(label, text_height(g->labels[i]));
    }
    for (int i = 0; i < g->columns; i++) head = larger(head, text_width(g->heads[i]));
    c->zoom = side < SIDE ? SIDE / side : 1;
    c->left = MARGIN + labels + MARGIN;
    c->top = MARGIN + LINE;
    c->column = larger(w * c->zoom, head) + GAP;
    c->row = larger(h * c->zoom, label) + GAP;
    c->width = c->left + (size_t)g->columns * c->column - GAP + MARGIN;
    c->height = c->top + (size_t)g->rows * c->row - GAP + MARGIN;
    c->caption = c->height;
    if (g->caption != NULL) {
        c->width = larger(c->width, MARGIN + text_width(g->caption) + MARGIN);
        c->height += text_height(g->caption) + MARGIN;
    }
    if (c->width <= PIXELS_MOST / c->height) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "%d x %d pictures of %d x %d are too many for one file, of %zu x %zu pixels; "
                     "take fewer seeds, or fewer runs",
                     g->rows, g->columns, g->h, g->w, c->height, c->width);
}

static void draw(const canvas *c, const gyre_grid *g) {
    size_t picture = (size_t)g->h * (size_t)g->w * (size_t)g->c;
    memset(c->rgb, WHITE, c->width * c->height * CHANNELS);
    draw_text(c, MARGIN, MARGIN, g->corner);
    for (int k = 0; k < g->columns; k++) {
        draw_text(c, MARGIN, c->left + (size_t)k * c->column, g->heads[k]);
    }
    for (int i = 0; i < g->rows; i++) {
        size_t y = c->top + (size_t)i * c->row;
        size_t middle = (c->row - GAP - text_height(g->labels[i])) / 2;
        draw_text(c, y + middle, MARGIN, g->labels[i]);
        for (int k = 0; k < g->columns; k++) {
            draw_picture(c, g, y, c->left + (size_t)k * c->column,
                         g->pictures[i] + (size_t)k * picture);
        }
    }
    if (g->caption != NULL) draw_text(c, c->caption, MARGIN, g->caption);
}

gyre_status gyre_grid_png(const gyre_grid *g, char **png, size_t *size) {
    canvas c = {0};
    *png = NULL;
    GYRE_TRY(measure(g, &c));
    c.rgb = malloc(c.width * c.height * CHANNELS);
    if (c.rgb == NULL) return gyre_no_memory("a grid of %zu x %zu pixels", c.height, c.width);
    draw(&c, g);
    gyre_status status = png_encode(c.rgb, c.width, c.height, png, size);
    free(c.rgb);
    if (status == GYRE_OK) status = gyre_overwrite_sign_png(png, size);
    if (status == GYRE_OK) return GYRE_OK;
    free(*png);
    *png = NULL;
    return status;
}
