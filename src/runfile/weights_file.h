/* A file of weights of any kind: HDF5 or ONNX, with gyre's layouts, or a state_dict in safetensors,
 * with PyTorch's. Internal to src/runfile. */
#ifndef GYRE_RUNFILE_WEIGHTS_FILE_H
#define GYRE_RUNFILE_WEIGHTS_FILE_H

#include "gyre/onnx.h"
#include "gyre/safetensors.h"

typedef struct {
    gyre_h5_reader *h5; /* one of the three, the others are NULL */
    gyre_safetensors *tensors;
    gyre_onnx *onnx;
    gyre_h5_entry *onnx_entries; /* its weights, in their order */
    bool averaged;               /* its averages are meant */
    char group[32];              /* where those are: "/average", "/averages/swa" */
} weights_file;

/* Told by its content. GYRE_EIO. */
gyre_status weights_file_open(const char *path, weights_file *out);
/* Which of its weights are meant. GYRE_EIO: an average, and there is none. */
gyre_status weights_file_choose(weights_file *f, const char *path, gyre_weights_choice weights);
void weights_file_close(weights_file *f);

const gyre_h5_entry *weights_file_list(const weights_file *f, size_t *count);
/* The entry that holds a parameter, or a running statistic of batch norm; NULL: none does. */
const gyre_h5_entry *weights_file_find(const weights_file *f, const char *name, bool statistic);
/* All numbers of an entry as f32. GYRE_EIO. */
gyre_status weights_file_read(const weights_file *f, const gyre_h5_entry *e, float *out,
                              size_t count);

#endif
