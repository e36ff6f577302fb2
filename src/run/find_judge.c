#include "find_rules.h"
gyre_status gyre_find_judge(gyre_find *f) { (void)f; return GYRE_OK; }
void gyre_find_print(const gyre_find *f, FILE *out) { fprintf(out, "%zu rows\n", f->row_count); }
