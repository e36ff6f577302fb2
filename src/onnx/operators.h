/* The operators, by what they do. Internal to src/onnx. */
#ifndef GYRE_ONNX_OPERATORS_H
#define GYRE_ONNX_OPERATORS_H

#include "import.h"

/* The one of this name; NULL: gyre has none. */
onnx_operator onnx_operator_find(const char *name);

/* op_conv.c */
void onnx_op_conv(onnx_import *m, onnx_call *c);
/* op_pad.c */
void onnx_op_pad(onnx_import *m, onnx_call *c);
/* The picture that a step pads, in whose place what reads it pads it itself; else the value. */
onnx_value *onnx_unpadded(onnx_import *m, onnx_value *v, int64_t pads[4]);
/* op_linear.c */
void onnx_op_gemm(onnx_import *m, onnx_call *c);
void onnx_op_matmul(onnx_import *m, onnx_call *c);
/* op_norm.c */
void onnx_op_batch_norm(onnx_import *m, onnx_call *c);
void onnx_op_layer_norm(onnx_import *m, onnx_call *c);
void onnx_op_group_norm(onnx_import *m, onnx_call *c);
void onnx_op_instance_norm(onnx_import *m, onnx_call *c);
bool onnx_is_norm(const onnx_layer *l); /* it may have a weight and a bias for each channel */
/* Batch norms that do not train beside others that do are frozen. */
void onnx_norms_freeze(onnx_import *m);
/* Gives norms that are to be a node what it needs. */
void onnx_norms_complete(onnx_import *m);
/* op_pool.c */
void onnx_op_max_pool(onnx_import *m, onnx_call *c);
void onnx_op_average_pool(onnx_import *m, onnx_call *c);
void onnx_op_global_average(onnx_import *m, onnx_call *c);
void onnx_op_global_max(onnx_import *m, onnx_call *c);
void onnx_op_reduce_mean(onnx_import *m, onnx_call *c);
void onnx_op_reduce_max(onnx_import *m, onnx_call *c);
void onnx_op_resize(onnx_import *m, onnx_call *c);
/* op_adaptive.c */
/* A product with the shares that bins of pixels have, as adaptive average pools are written; false:
 * it is another one, and nothing was given. */
bool onnx_adaptive_columns(onnx_import *m, onnx_call *c);
bool onnx_adaptive_rows(onnx_import *m, onnx_call *c);
/* op_lrn.c */
void onnx_op_lrn(onnx_import *m, onnx_call *c);
bool onnx_is_volume(const onnx_value *v);         /* it is (N, 1, C, H, W) */
void onnx_lrn_pool(onnx_import *m, onnx_call *c); /* over neighbouring channels of a volume */
/* A step that gives a volume with other channels; it keeps `before` and `after` as its pads. */
onnx_layer *onnx_give_volume(onnx_import *m, onnx_call *c, int64_t channels, int64_t before,
                             int64_t after);
/* op_activation.c */
void onnx_op_activation(onnx_import *m, onnx_call *c); /* those without options */
void onnx_op_leaky_relu(onnx_import *m, onnx_call *c);
void onnx_op_gelu(onnx_import *m, onnx_call *c);
void onnx_op_hard_sigmoid(onnx_import *m, onnx_call *c);
void onnx_op_softmax(onnx_import *m, onnx_call *c);
void onnx_op_step(onnx_import *m, onnx_call *c); /* of one input, for patterns alone */
/* op_several.c */
void onnx_op_elu(onnx_import *m, onnx_call *c);
void onnx_op_celu(onnx_import *m, onnx_call *c);
void onnx_op_selu(onnx_import *m, onnx_call *c);
void onnx_op_prelu(onnx_import *m, onnx_call *c);
void onnx_op_clip(onnx_import *m, onnx_call *c);
void onnx_op_bound(onnx_import *m, onnx_call *c); /* Max, Min */
/* op_view.c */
void onnx_op_flatten(onnx_import *m, onnx_call *c);
void onnx_op_gather(onnx_import *m, onnx_call *c);
void onnx_op_reshape(onnx_import *m, onnx_call *c);
void onnx_op_transpose(onnx_import *m, onnx_call *c);
void onnx_op_squeeze(onnx_import *m, onnx_call *c);
void onnx_op_unsqueeze(onnx_import *m, onnx_call *c);
void onnx_op_expand(onnx_import *m, onnx_call *c);
void onnx_op_shape(onnx_import *m, onnx_call *c);
void onnx_op_same(onnx_import *m, onnx_call *c);
void onnx_op_cast(onnx_import *m, onnx_call *c);
/* op_shortcut.c */
void onnx_op_slice(onnx_import *m, onnx_call *c);
/* op_halves.c */
void onnx_op_split(onnx_import *m, onnx_call *c); /* SplitToSequence, too */
void onnx_op_sequence_at(onnx_import *m, onnx_call *c);
/* Slice of the channels' first or second half; false: of another part. */
bool onnx_slice_half(onnx_import *m, onnx_call *c);
/* Pad of the channels alone; false: gyre has no such node. */
bool onnx_pad_channels(onnx_import *m, onnx_call *c, int64_t front, int64_t back);
/* op_concat.c */
void onnx_op_concat(onnx_import *m, onnx_call *c);
/* op_binary.c */
void onnx_op_add(onnx_import *m, onnx_call *c);
void onnx_op_with_constant(onnx_import *m, onnx_call *c); /* Sub, Pow */
void onnx_op_mul(onnx_import *m, onnx_call *c);
void onnx_op_div(onnx_import *m, onnx_call *c);
/* op_attention.c */
/* MatMul of two layers, which is a part of attention, or is refused; false: of others. */
bool onnx_attention_product(onnx_import *m, onnx_call *c);
/* Softmax of attention's scores; false: of something else. */
bool onnx_attention_softmax(onnx_import *m, onnx_call *c);
/* The value is the scores of attention, times numbers. */
bool onnx_are_scores(const onnx_import *m, const onnx_value *v);
/* op_mask.c */
/* Add of a causal mask to scores, and Where, which sets them; false: it is something else. */
bool onnx_mask_added(onnx_import *m, onnx_call *c, onnx_value *v, onnx_constant *k);
bool onnx_mask_chosen(onnx_import *m, onnx_call *c);
/* op_positions.c */
/* Add of a number for each place of a sample; false: the constant is none. */
bool onnx_give_positions(onnx_import *m, onnx_call *c, onnx_value *v, onnx_constant *k);
/* op_where.c */
void onnx_op_where(onnx_import *m, onnx_call *c);
void onnx_op_greater(onnx_import *m, onnx_call *c);
/* op_affine.c */
void onnx_op_neg(onnx_import *m, onnx_call *c);
/* Add, Sub, Mul or Div of a number for each channel (`first`: that comes first) which is no weight;
 * false: it is none. */
bool onnx_give_channels(onnx_import *m, onnx_call *c, onnx_value *v, onnx_constant *k, bool first);
/* Steps of one number that the output needs become nodes. */
void onnx_affine_nodes(onnx_import *m);
/* op_random.c */
void onnx_op_dropout(onnx_import *m, onnx_call *c);
void onnx_op_random(onnx_import *m, onnx_call *c);
void onnx_op_less(onnx_import *m, onnx_call *c);
void onnx_op_floor(onnx_import *m, onnx_call *c);
/* Add of a number to noise, which Floor makes 0 or 1 of; false: it is another sum. */
bool onnx_raise_noise(onnx_import *m, onnx_call *c);
/* The node that drops what noise of this shape is 0 for; NULL: none does. */
const char *onnx_noise_type(const onnx_value *noise, const onnx_value *of);

#endif
