/* From the messages of a file to layers. Internal to src/onnx. */
#ifndef GYRE_ONNX_GRAPH_H
#define GYRE_ONNX_GRAPH_H

#include "import.h"

/* Takes the graph of m->work.file. GYRE_EIO: it is damaged, or of a kind that cannot be a network
 * of gyre; operators that are not supported are among the layers. */
gyre_status onnx_graph_read(onnx_import *m);
/* The value that the network gives; its layer is m->output. */
gyre_status onnx_graph_finish(onnx_import *m);

#endif
