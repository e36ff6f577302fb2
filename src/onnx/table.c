/* The table of operators. */
#include "operators.h"
#include <string.h>

static const struct {
    const char *name;
    onnx_operator run;
} operators[] = {
    {"Add", onnx_op_add},
    {"AveragePool", onnx_op_average_pool},
    {"BatchNormalization", onnx_op_batch_norm},
    {"Cast", onnx_op_cast},
    {"CastLike", onnx_op_same},
    {"Celu", onnx_op_celu},
    {"Clip", onnx_op_clip},
    {"Concat", onnx_op_concat},
    {"Conv", onnx_op_conv},
    {"Div", onnx_op_div},
    {"Dropout", onnx_op_dropout},
    {"Elu", onnx_op_elu},
    {"Erf", onnx_op_step},
    {"Expand", onnx_op_expand},
    {"Flatten", onnx_op_flatten},
    {"Floor", onnx_op_floor},
    {"Gather", onnx_op_gather},
    {"Gelu", onnx_op_gelu},
    {"Gemm", onnx_op_gemm},
    {"GlobalAveragePool", onnx_op_global_average},
    {"GlobalMaxPool", onnx_op_global_max},
    {"Greater", onnx_op_greater},
    {"GroupNormalization", onnx_op_group_norm},
    {"HardSigmoid", onnx_op_hard_sigmoid},
    {"HardSwish", onnx_op_activation},
    {"Identity", onnx_op_same},
    {"InstanceNormalization", onnx_op_instance_norm},
    {"IsNaN", onnx_op_step},
    {"LRN", onnx_op_lrn},
    {"LayerNormalization", onnx_op_layer_norm},
    {"LeakyRelu", onnx_op_leaky_relu},
    {"Less", onnx_op_less},
    {"LogSoftmax", onnx_op_softmax},
    {"MatMul", onnx_op_matmul},
    {"Max", onnx_op_bound},
    {"MaxPool", onnx_op_max_pool},
    {"Min", onnx_op_bound},
    {"Mish", onnx_op_activation},
    {"Mul", onnx_op_mul},
    {"Neg", onnx_op_neg},
    {"PRelu", onnx_op_prelu},
    {"Pad", onnx_op_pad},
    {"Pow", onnx_op_with_constant},
    {"RandomUniformLike", onnx_op_random},
    {"ReduceMax", onnx_op_reduce_max},
    {"ReduceMean", onnx_op_reduce_mean},
    {"Relu", onnx_op_activation},
    {"Reshape", onnx_op_reshape},
    {"Resize", onnx_op_resize},
    {"Selu", onnx_op_selu},
    {"SequenceAt", onnx_op_sequence_at},
    {"Shape", onnx_op_shape},
    {"Sigmoid", onnx_op_activation},
    {"Slice", onnx_op_slice},
    {"Softmax", onnx_op_softmax},
    {"Softplus", onnx_op_step},
    {"Split", onnx_op_split},
    {"SplitToSequence", onnx_op_split},
    {"Sqrt", onnx_op_step},
    {"Squeeze", onnx_op_squeeze},
    {"Sub", onnx_op_with_constant},
    {"Tanh", onnx_op_activation},
    {"Transpose", onnx_op_transpose},
    {"Unsqueeze", onnx_op_unsqueeze},
    {"Upsample", onnx_op_resize},
    {"Where", onnx_op_where},
};

onnx_operator onnx_operator_find(const char *name) {
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (strcmp(operators[i].name, name) == 0) return operators[i].run;
    }
    return NULL;
}
