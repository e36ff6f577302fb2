/* What augmentation does to the bytes of a picture, as torchvision does it to tensors of uint8
 * (transforms.v2.functional). Internal to src/data.
 *
 * Only integers and exactly rounded operations, in a fixed order: the same bytes on any machine. */
#ifndef GYRE_DATA_PIXELS_H
#define GYRE_DATA_PIXELS_H

#include <stddef.h>
#include <stdint.h>

/* (h, w, c) bytes, c 1 or 3, and room for as many. */
typedef struct {
    int h, w, c;
    uint8_t *bytes, *spare;
} data_pixels;

static inline size_t data_pixels_count(const data_pixels *p) {
    return (size_t)p->h * (size_t)p->w * (size_t)p->c;
}

/* ---- colours: f v + (1 - f) o of each value v, cut to 0..255 and rounded down. `f` 1 changes
 * nothing. */

void data_brighten(data_pixels *p, double f); /* o = 0 */
void data_contrast(data_pixels *p, double f); /* o = the mean of the picture in gray */
void data_saturate(data_pixels *p, double f); /* o = the pixel in gray; gray pictures stay */
void data_sharpen(data_pixels *p, double f);  /* o = the mean of 3 x 3 pixels, the middle 5 times;
                                                 the border stays */

/* Turns the hue of each pixel by a share of the circle, -0.5 to 0.5; gray pictures stay. */
void data_turn_hue(data_pixels *p, double turn);

void data_posterize(data_pixels *p, int bits);        /* keeps the highest bits of each value */
void data_solarize(data_pixels *p, double threshold); /* 255 - v where v is as large or larger */
void data_stretch(data_pixels *p);  /* autocontrast: each channel's least and greatest to 0, 255 */
void data_equalize(data_pixels *p); /* each channel's histogram, as Pillow's ImageOps.equalize */

/* ---- places: the pixel (x, y) of the result is the one that holds the point
 * (a x' + b y' + c, d x' + e y' + f) of the picture, with x' = x + 1/2 and y' = y + 1/2, or 0
 * outside of it. */
typedef struct {
    double a, b, c, d, e, f;
} data_affine;

void data_warp(data_pixels *p, const data_affine *from);

#endif
