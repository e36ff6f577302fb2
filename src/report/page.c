/* The page as a whole: its sections one after the other. */
#include "page.h"

#include "differing.h"
#include "html.h"
#include "page_parts.h"
#include <math.h>

gyre_status report_page_write(FILE *f, const gyre_results *e, const char *folder) {
    report_page page = {.f = f, .e = e, .folder = folder}, *p = &page;
    GYRE_TRY(report_all_differing(e, page.differing));
    report_html_begin(f, e->study->name);
    report_page_head(p);
    GYRE_TRY(report_page_results(p));
    GYRE_TRY(report_page_compared(p));
    GYRE_TRY(report_page_curves(p));
    GYRE_TRY(report_page_averages(p));
    GYRE_TRY(report_page_times(p));
    GYRE_TRY(report_page_samples(p));
    if (!e->single || e->target_given) report_page_target(p);
    report_page_next(p);
    report_page_cells(p);
    report_page_cost(p);
    report_page_method(p);
    report_html_end(f);
    return GYRE_OK;
}
