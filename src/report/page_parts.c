/* What the parts of a page share: places of figures, names of groups. */
#include "page_parts.h"

#include "gyre/overwrite.h"
#include "html.h"

gyre_status report_page_path(const report_page *p, const char *name, int group, char **out) {
    bool several = group >= 0 && p->e->study->group_count > 1;
    int n = several ? asprintf(out, "%s/%s-g%d.svg", p->folder, name, group + 1)
                    : asprintf(out, "%s/%s.svg", p->folder, name);
    if (n >= 0) return gyre_overwrite_check_signed(*out);
    *out = NULL;
    return gyre_no_memory("a figure");
}

gyre_status report_page_figure(report_page *p, const char *path, const char *caption) {
    char prefix[16];
    snprintf(prefix, sizeof prefix, "f%d-", ++p->figures);
    return report_html_figure(p->f, path, prefix, caption);
}

const char *report_page_group(const gyre_results *e, int group) {
    return e->study->group_count > 1 ? e->study->groups[group] : "";
}
