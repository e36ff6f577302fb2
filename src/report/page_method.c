/* How to read a report. */
#include "html.h"
#include "labels.h"
#include "page_parts.h"

void report_page_method(report_page *p) {
    char choice[REPORT_SENTENCE_MAX];
    snprintf(
        choice, sizeof choice,
        "Only arms are ranked whose cells have all ended, and of these only those that diverged "
        "with the fewest seeds. The choice is the %s mean over the seeds that these share.",
        report_best(p->e->metric));
    const char *const lines[] = {
        "Intervals are 95 % Student intervals of the mean; those of differences are of the paired "
        "differences.",
        "p comes from the sign-flip permutation test: how often would signs tossed at random give "
        "a "
        "mean difference as large? All 2ⁿ ways are counted up to 20 seeds. A difference is called "
        "one when p is at most 0.05.",
        "The planned comparison's p stands as it is. All others are corrected together by Holm's "
        "method, for among many questions some answer looks large by chance.",
        choice,
        "An arm is perhaps as good as the choice where the 95 % interval of their paired "
        "difference holds 0: another set of seeds may turn the order round.",
        "“Too few seeds” means that even the clearest outcome could not have reached 0.05; it does "
        "not mean that there is no difference.",
        "Intervals of many arms looked at together hold less often than 95 %; the choice of an arm "
        "rests on them and is exploratory.",
    };
    if (p->e->single) return;
    report_html_element(p->f, "h2", "How to read this");
    fputs("<ul>\n", p->f);
    report_html_element(
        p->f, "li",
        *p->differing == '\0'
            ? "A comparison is made within a group, seed by seed: the difference of "
              "two cells that share everything but the schedule. Only seeds count "
              "with which both are done."
            : "A comparison is made within a group, seed by seed. What the two cells "
              "share, besides the seed, is said under “What was compared”. Only "
              "seeds count with which both are done.");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        report_html_element(p->f, "li", lines[i]);
    }
    fputs("</ul>\n", p->f);
}
