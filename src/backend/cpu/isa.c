/* What oneDNN makes of this processor. */
#include "dnn.h"

const char *dnn_isa(void) {
    switch ((int)dnnl_get_effective_cpu_isa()) {
    case dnnl_cpu_isa_sse41: return "sse4.1";
    case dnnl_cpu_isa_avx: return "avx";
    case dnnl_cpu_isa_avx2: return "avx2";
    case dnnl_cpu_isa_avx2_vnni: return "avx2_vnni";
    case dnnl_cpu_isa_avx512_core: return "avx512_core";
    case dnnl_cpu_isa_avx512_core_vnni: return "avx512_core_vnni";
    case dnnl_cpu_isa_avx512_core_bf16: return "avx512_core_bf16";
    case dnnl_cpu_isa_avx512_core_amx: return "avx512_core_amx";
#if DNNL_VERSION_MAJOR >= 3
    case dnnl_cpu_isa_avx2_vnni_2: return "avx2_vnni_2";
    case dnnl_cpu_isa_avx512_core_fp16: return "avx512_core_fp16";
    case dnnl_cpu_isa_avx512_core_amx_fp16: return "avx512_core_amx_fp16";
#endif
    default: return "other";
    }
}

static bool has(int isa) {
    return ((int)dnnl_get_effective_cpu_isa() & isa) == isa;
}

dnn_bf16 dnn_bf16_support(dnnl_engine_t engine) {
    const gyre_conv_shape s = gyre_conv_square(1, 4, 4, 16, 16, 3, 1, 1);
    const dnn_device device = {engine, dnnl_bf16};
    dnn_op op = {0};
    gyre_status status =
        dnn_open(&device, DNN_CONV_DW, &s, &op); /* which asks for a forward one too */
    dnn_close(&op);
    if (status != GYRE_OK) return DNN_BF16_NONE;
#if DNNL_VERSION_MAJOR >= 3
    if (has(dnnl_cpu_isa_avx2_vnni_2)) return DNN_BF16_NATIVE;
#endif
    return has(dnnl_cpu_isa_avx512_core_bf16) ? DNN_BF16_NATIVE : DNN_BF16_EMULATED;
}
