/* How the axes of an ONNX tensor lie over those of a sample (height, width, channels).
 *
 * A tensor has dimensions; each is made of atoms, and an atom is a whole axis of the sample or a
 * part of one. (N, C, H, W) is [N][C][H][W]; behind Flatten it is [N][C H W], behind Transpose
 * [N][H][W][C]. Reshape and Transpose change the view alone, so no node stands for them. Axes of
 * size 1 have no atoms. Internal to src/onnx. */
#ifndef GYRE_ONNX_VIEW_H
#define GYRE_ONNX_VIEW_H

#include <stdbool.h>
#include <stdint.h>

enum { ONNX_RANK_MAX = 8, ONNX_ATOMS_MAX = 12 };

typedef enum { ONNX_AXIS_N, ONNX_AXIS_C, ONNX_AXIS_H, ONNX_AXIS_W, ONNX_AXES } onnx_axis;

typedef struct {
    onnx_axis axis;
    int64_t size, stride; /* stride: of its index in the axis, 1 for a whole axis */
} onnx_atom;

typedef struct {
    int rank;
    int ends[ONNX_RANK_MAX]; /* dimension i has the atoms ends[i - 1] .. ends[i] - 1 */
    onnx_atom atoms[ONNX_ATOMS_MAX];
} onnx_view;

/* Each dimension one axis, as "NCHW"; sizes in the order of onnx_axis. */
onnx_view onnx_view_of(const char *axes, const int64_t sizes[ONNX_AXES]);

int64_t onnx_view_size(const onnx_view *v, int dimension);
/* Each dimension is the axis that `axes` names, or has size 1. */
bool onnx_view_is(const onnx_view *v, const char *axes);
/* The dimension that is this whole axis alone; -1: there is none. */
int onnx_view_find(const onnx_view *v, onnx_axis axis);
bool onnx_view_same_dimension(const onnx_view *a, const onnx_view *b, int dimension);

/* False: the sizes do not fit, or too many parts would come of it. dims are all positive. */
bool onnx_view_reshape(const onnx_view *v, int rank, const int64_t *dims, onnx_view *out);
bool onnx_view_transpose(const onnx_view *v, const int64_t *order, onnx_view *out);
/* The last dimension becomes the whole axis of channels, of this size; false: too many parts. */
bool onnx_view_end_in_channels(onnx_view *v, int64_t channels);
/* The dimension becomes one of size 1, or disappears. */
void onnx_view_drop_atoms(onnx_view *v, int dimension);
bool onnx_view_remove(onnx_view *v, int dimension);
bool onnx_view_insert(onnx_view *v, int dimension);

#endif
